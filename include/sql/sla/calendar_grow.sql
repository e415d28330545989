-- In: a calendar's number, open spans before or after those that are there. Out: mart.calendar_open has them too,
-- the sums going on from the ones that are there, backwards and forwards.
insert into mart.calendar_open (calendar_id, opens_at, closes_at, seconds_before, seconds_until)
with known as (
    select
        min(opens_at) as opens_at,
        min(seconds_before) as seconds_before,
        coalesce(max(seconds_until), 0) as seconds_until
    from mart.calendar_open
    where calendar_id = %(calendar_id)s
),

spans as (
    select
        span.opens_at,
        span.closes_at,
        extract(epoch from span.closes_at - span.opens_at)::bigint as seconds
    from unnest(%(opens)s::timestamptz[], %(closes)s::timestamptz[]) as span (opens_at, closes_at)
),

placed as (
    select
        spans.*,
        known.seconds_before as known_before,
        known.seconds_until as known_until,
        coalesce(spans.opens_at < known.opens_at, false) as is_earlier
    from spans
    cross join known
),

summed as (
    select
        *,
        sum(seconds) over (partition by is_earlier order by opens_at) as so_far,
        sum(seconds) over (partition by is_earlier) as altogether
    from placed
),

numbered as (
    select
        *,
        so_far + case when is_earlier then known_before - altogether else known_until end as seconds_until
    from summed
)

select
    %(calendar_id)s::integer as calendar_id,
    opens_at,
    closes_at,
    seconds_until - seconds as seconds_before,
    seconds_until
from numbered
order by opens_at
