-- In: side (before, after), recomputed; mart.ticket, mart.ticket_status. Out: seen_period has the tickets' periods.
insert into seen_period (side, account, ticket_id, ticket_key, from_at, status, cause, event_count)
with seen as (
    select %(side)s::text as side
)

select
    seen.side,
    period.account,
    period.ticket_id,
    period.ticket_key,
    period.from_at,
    period.status,
    period.cause,
    ticket.event_count
from seen
cross join recomputed
inner join mart.ticket_status as period
    on recomputed.account = period.account and recomputed.ticket_key = period.ticket_key
inner join mart.ticket as ticket on period.account = ticket.account and period.ticket_id = ticket.ticket_id
