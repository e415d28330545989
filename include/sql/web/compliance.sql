-- In: period, since, until (days), metric; after: place of the last row of the page before (null: the first page);
-- at_most: rows; mart.compliance. Out: its rows by place, that is account, first day and what else they are of.
with figures as (
    select
        *,
        array[
            account, starts_on::text, coalesce(marketplace, ''), coalesce(desk, ''), coalesce(team, ''),
            coalesce(agent, ''), coalesce(ticket_type, '')
        ] as place
    from mart.compliance
    where
        period = %(period)s
        and starts_on >= %(since)s::date
        and starts_on < %(until)s::date
        and metric = %(metric)s
)

select
    place,
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
from figures
where %(after)s::text[] is null or place > %(after)s::text[]
order by place
limit %(at_most)s
