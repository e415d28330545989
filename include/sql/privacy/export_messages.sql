-- In: account, order_id. Out: messages to staff that quote the buyer, as long as they are not emptied.
with tickets as (
    select * from mart.ticket
    where account = %(account)s and order_id = %(order_id)s
),

named as (
    select array_agg(account || '/' || ticket_id) as tickets from tickets
)

select
    message.written_at,
    message.kind,
    message.state,
    message.subject
from pii.outbox as message
inner join named on message.about && named.tickets
where message.emptied_at is null
order by message.outbox_id
