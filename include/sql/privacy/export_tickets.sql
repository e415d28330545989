-- In: account, order_id. Out: the tickets about the order.
select
    ticket_id,
    ticket_type,
    marketplace,
    created_at,
    last_event_at,
    event_count
from mart.ticket
where account = %(account)s and order_id = %(order_id)s
order by created_at
