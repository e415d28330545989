-- In: orders whose newest version from the API came with the batches. Out: how far their items had come is gone from
-- core.amazon_order_item_progress; the next step writes it anew.
delete from core.amazon_order_item_progress as item
using core.amazon_order as known, raw.order_received as received
where
    received.batch_id = any(%(batch_ids)s::bigint[])
    and known.account = received.account
    and known.order_id = received.order_id
    and known.api_batch_id = received.batch_id
    and item.account = known.account
    and item.order_id = known.order_id
