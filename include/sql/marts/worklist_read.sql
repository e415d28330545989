-- In: as_of; mart.worklist_item. Out: that hour's items of all agents, in their order.
select
    agent,
    section,
    position,
    account,
    ticket_id,
    order_id,
    marketplace,
    desk,
    ticket_type,
    status,
    reason,
    due_at,
    seconds_left,
    link,
    order_status,
    fulfilled_by,
    ship_by_at,
    total_amount,
    currency,
    items
from mart.worklist_item
where as_of = %(as_of)s::timestamptz
order by agent, position
