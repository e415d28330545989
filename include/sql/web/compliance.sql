-- In: period, since, until (days), metric; mart.compliance. Out: its rows, by account and first day.
select
    starts_on,
    account,
    marketplace,
    desk,
    team,
    agent,
    ticket_type,
    ended,
    met,
    breached,
    share_met::double precision as share_met,
    median_elapsed_seconds::double precision as median_elapsed_seconds,
    p90_elapsed_seconds::double precision as p90_elapsed_seconds,
    p95_elapsed_seconds::double precision as p95_elapsed_seconds,
    reopened,
    backlog,
    oldest_waiting_seconds
from mart.compliance
where
    period = %(period)s
    and starts_on >= %(since)s::date
    and starts_on < %(until)s::date
    and metric = %(metric)s
order by account, starts_on, marketplace, desk, team, agent, ticket_type
