-- In: account, order_id. Out: what staff wrote on the tickets of the order. Personal data.
with tickets as (
    select * from mart.ticket
    where account = %(account)s and order_id = %(order_id)s
)

select distinct
    event.occurred_at,
    event.actor,
    words.body
from tickets
inner join mart.ticket_event as event on tickets.account = event.account and tickets.ticket_key = event.ticket_key
inner join pii.ticket_event_text as words
    on event.account = words.account and event.source = words.source and event.source_id = words.source_id
order by event.occurred_at
