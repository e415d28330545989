-- In: as_of; ops.ticket_waiting, tickets, status periods, mart.ticket_agent. Out: tickets that wait for somebody of a
-- team and are neither solved nor closed, the oldest first, with the agents they have.
with periods as (
    select * from mart.ticket_status
    where
        from_at <= %(as_of)s::timestamptz
        and until_at > %(as_of)s::timestamptz
        and status in ('new', 'open', 'pending', 'on_hold')
),

given as (
    select * from mart.ticket_agent
    where since <= %(as_of)s::timestamptz
)

select
    waiting.account,
    waiting.ticket_id,
    waiting.team,
    waiting.rule,
    ticket.ticket_key,
    ticket.marketplace,
    periods.status,
    sorting.language,
    array(
        select given.agent from given
        where given.account = waiting.account and given.ticket_id = waiting.ticket_id
        order by given.agent
    ) as agents
from ops.ticket_waiting as waiting
inner join core.ticket_sorting as sorting
    on waiting.account = sorting.account and waiting.ticket_id = sorting.ticket_id
inner join mart.ticket as ticket
    on waiting.account = ticket.account and waiting.ticket_id = ticket.ticket_id
inner join periods on waiting.account = periods.account and waiting.ticket_id = periods.ticket_id
order by ticket.created_at, waiting.account, waiting.ticket_id, waiting.team
