-- In: orders whose version in core.amazon_order came with the batches. Out: their old items are gone from
-- core.amazon_order_item; the next step writes the new ones.
delete from core.amazon_order_item as item
using raw.order_received as received, core.amazon_order as known
where
    received.batch_id = any(%(batch_ids)s::bigint[])
    and known.account = received.account
    and known.order_id = received.order_id
    and known.batch_id = received.batch_id
    and item.account = known.account
    and item.order_id = known.order_id
