-- In: since, as_of; mart.sla_clock. Out: one row a metric: cycles that began in the span, warnings and breaches
-- that fell in it.
select
    metric,
    count(*) filter (where started_at > %(since)s::timestamptz) as cycles,
    count(*) filter (
        where
        warn_at > %(since)s::timestamptz
        and warn_at <= %(as_of)s::timestamptz
        and (stopped_at is null or stopped_at >= warn_at)
    ) as warned,
    count(*) filter (
        where breached_at > %(since)s::timestamptz and breached_at < %(as_of)s::timestamptz
    ) as breached
from mart.sla_clock
where started_at <= %(as_of)s::timestamptz
group by metric
order by metric
