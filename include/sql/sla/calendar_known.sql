-- In: a calendar's number, an instant; mart.calendar, mart.calendar_open. Out: the local days whose hours are
-- there, and how many open seconds there are after the instant.
with known as (
    select * from mart.calendar
    where calendar_id = %(calendar_id)s
),

last_opening as (
    select seconds_until from mart.calendar_open
    where calendar_id = %(calendar_id)s
    order by seconds_until desc
    limit 1
),

before as (
    select seconds_before + extract(epoch from least(closes_at, %(last)s::timestamptz) - opens_at) as seconds
    from mart.calendar_open
    where calendar_id = %(calendar_id)s and opens_at <= %(last)s::timestamptz
    order by opens_at desc
    limit 1
)

select
    known.calendar,
    known.known_from,
    known.known_until,
    coalesce(last_opening.seconds_until - before.seconds, 0) as seconds_left
from known
left join last_opening on true
left join before on true
