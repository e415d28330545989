-- In: accounts; since, until (instants), metric, places (marketplaces; null: all). Out: the cycles that ended or were
-- breached then, counted twice over: by response time (bucket, the least seconds of it), and by the weekday (1 is
-- Monday) and hour (UTC) in which they began.
with cycles as (
    select
        started_at at time zone 'UTC' as started,
        ended_at,
        breached_at,
        response_seconds
    from mart.compliance_cycle
    where
        account = any(%(accounts)s::text[])
        and metric = %(metric)s
        and (%(places)s::text[] is null or marketplace = any(%(places)s::text[]))
        and (
            (ended_at >= %(since)s::timestamptz and ended_at < %(until)s::timestamptz)
            or (breached_at >= %(since)s::timestamptz and breached_at < %(until)s::timestamptz)
        )
),

described as (
    select
        breached_at,
        case
            when ended_at is null or response_seconds is null then null
            when response_seconds < 3600 then 0
            when response_seconds < 7200 then 3600
            when response_seconds < 14400 then 7200
            when response_seconds < 28800 then 14400
            when response_seconds < 43200 then 28800
            when response_seconds < 86400 then 43200
            when response_seconds < 172800 then 86400
            else 172800
        end as bucket,
        extract(isodow from started)::integer as weekday,
        extract(hour from started)::integer as hour
    from cycles
)

select
    bucket,
    weekday,
    hour,
    count(*) as cycles,
    count(breached_at) as breached
from described
group by grouping sets ((bucket), (weekday, hour))
order by weekday nulls first, hour, bucket
