-- In: since, until (days), metric, places (marketplaces; null: all), by (marketplace, agent, ticket_type, desk, team).
-- Out: compliance of the days together, a row each, the lowest share first.
with days as (
    select
        *,
        case %(by)s::text
            when 'marketplace' then marketplace
            when 'agent' then agent
            when 'ticket_type' then ticket_type
            when 'desk' then desk
            when 'team' then team
        end as name
    from mart.compliance_day
    where
        day >= %(since)s::date
        and day < %(until)s::date
        and metric = %(metric)s
        and (%(places)s::text[] is null or marketplace = any(%(places)s::text[]))
)

select
    coalesce(name, 'none') as name,
    sum(ended) as ended,
    sum(met) as met,
    sum(breached) as breached,
    round(sum(met) / nullif(sum(met + breached), 0), 4) as share_met
from days
group by coalesce(name, 'none')
having sum(ended + met + breached) > 0
order by share_met asc nulls last, name asc
