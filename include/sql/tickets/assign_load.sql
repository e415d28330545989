-- In: as_of; status periods, mart.ticket_agent. Out: for each agent, how many tickets that are new or open then.
with periods as (
    select * from mart.ticket_status
    where
        from_at <= %(as_of)s::timestamptz
        and until_at > %(as_of)s::timestamptz
        and status in ('new', 'open')
),

given as (
    select * from mart.ticket_agent
    where since <= %(as_of)s::timestamptz
)

select
    given.agent,
    count(*) as tickets
from periods
inner join given on periods.account = given.account and periods.ticket_id = given.ticket_id
group by given.agent
order by given.agent
