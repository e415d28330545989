-- In: orders whose version in core.amazon_order came with the batches. Out: their old items are gone from
-- core.amazon_order_item; the next step writes the new ones.
delete from core.amazon_order_item as item
using core.amazon_order as known
where
    known.account = item.account
    and known.order_id = item.order_id
    and known.batch_id = any(%(batch_ids)s::bigint[])
