-- In: landed rows of desks' exports. Out: one row each: what the rules look at. No personal data. A
-- review request is about an order, not a ticket, and may be nobody's: an automation's.
with received as (
    select * from raw.desk_action
    where batch_id = any(%(batch_ids)s::bigint[])
)

select
    batch_id,
    'line ' || line_number as row_key,
    coalesce(kind, '') as kind,
    occurred_at,
    extract(epoch from occurred_at - read_at) / 3600 as hours_ahead,
    case
        when coalesce(kind, '') <> 'review_request' then num_nonnulls(ticket_id, order_id, case_id, buyer_ref)
    end as references_to_ticket,
    case when kind = 'review_request' then coalesce(order_id, '') end as reviewed_order,
    case when kind = 'assign' and agent is null then 1 else 0 end as assigned_to_nobody,
    case when kind = 'hold' and stakeholder is null then 1 else 0 end as held_for_nobody,
    coalesce(actor, case when kind = 'review_request' then desk end) as actor
from received
