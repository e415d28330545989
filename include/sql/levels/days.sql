-- In: since, until (days), metric, places (marketplaces; null: all). Out: compliance of each day.
with days as (
    select * from mart.compliance_day
    where
        day >= %(since)s::date
        and day < %(until)s::date
        and metric = %(metric)s
        and (%(places)s::text[] is null or marketplace = any(%(places)s::text[]))
)

select
    day,
    sum(ended) as ended,
    sum(met) as met,
    sum(breached) as breached,
    round(sum(met) / nullif(sum(met + breached), 0), 4) as share_met,
    sum(backlog) as backlog
from days
group by day
order by day
