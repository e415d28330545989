-- In: accounts; since, until (instants), metric, places (marketplaces; null: all), by (marketplace, agent, ticket_type,
-- desk, team; null: any) and its name, outcome (met, breached; null: both), weekday (1 is Monday) and hour (UTC) of the
-- beginning (null: any), least and below (seconds of response; null: any); marketplaces (null: all) and team of the
-- visitor. Out: the cycles that fit, the longest first. Counted as compliance is: met when they ended, breached
-- when they were due.
with cycles as (
    select
        *,
        started_at at time zone 'UTC' as started,
        case %(by)s::text
            when 'marketplace' then coalesce(marketplace, 'none')
            when 'agent' then agent
            when 'ticket_type' then ticket_type
            when 'desk' then coalesce(desk, 'none')
            when 'team' then coalesce(team, 'none')
        end as name
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

chosen as (
    select * from cycles
    where
        (%(name)s::text is null or name = %(name)s)
        and case %(outcome)s::text
            when 'met' then breached_at is null and is_met
            when 'breached' then breached_at >= %(since)s::timestamptz and breached_at < %(until)s::timestamptz
            else true
        end
        and (%(weekday)s::integer is null or extract(isodow from started) = %(weekday)s::integer)
        and (%(hour)s::integer is null or extract(hour from started) = %(hour)s::integer)
        and (%(least)s::integer is null or (ended_at is not null and response_seconds >= %(least)s::integer))
        and (%(below)s::integer is null or (ended_at is not null and response_seconds < %(below)s::integer))
),

visitor as (
    select
        %(marketplaces)s::text[] as marketplaces,
        %(team)s::text[] as team
)

select
    chosen.account,
    chosen.ticket_id,
    chosen.marketplace,
    chosen.ticket_type,
    chosen.agent,
    chosen.cycle,
    chosen.started_at,
    chosen.ended_at,
    chosen.breached_at,
    chosen.response_seconds::double precision as response_seconds,
    count(*) over () as found
from chosen
cross join visitor
where
    visitor.marketplaces is null
    or chosen.marketplace = any(visitor.marketplaces)
    or exists (
        select 1 from mart.ticket_agent as holder
        where
            holder.account = chosen.account
            and holder.ticket_id = chosen.ticket_id
            and holder.agent = any(visitor.team)
    )
order by chosen.response_seconds desc nulls first, chosen.account asc, chosen.ticket_id asc, chosen.cycle asc
limit 200
