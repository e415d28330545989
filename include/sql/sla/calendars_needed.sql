-- In: batch_cycle, batch_period. Out: each calendar with hours that the fold counts in: between which instants,
-- and how many seconds after the last.
with boundaries as (
    select
        min(from_at) as first_at,
        max(from_at) as last_at
    from batch_period
),

calendars as (
    select
        calendar_id,
        min(started_at) as first_at,
        max(greatest(started_at, stopped_at)) as last_at,
        max(target_seconds) as target_seconds
    from batch_cycle
    where calendar_id <> 0
    group by calendar_id
)

select
    calendars.calendar_id,
    least(calendars.first_at, boundaries.first_at) as first_at,
    greatest(calendars.last_at, boundaries.last_at) as last_at,
    calendars.target_seconds
from calendars
cross join boundaries
