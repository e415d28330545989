-- In: orders whose version in core.amazon_order came with the batches. Out: their old items are gone from
-- core.amazon_order_item; the next step writes the new ones.
with landed as (
    select
        account,
        order_id,
        batch_id
    from raw.order_received
    where batch_id = any(%(batch_ids)s::bigint[])
    union
    select
        account,
        order_id,
        batch_id
    from raw.order_report_row
    where batch_id = any(%(batch_ids)s::bigint[])
)

delete from core.amazon_order_item as item
using landed, core.amazon_order as known
where
    known.account = landed.account
    and known.order_id = landed.order_id
    and known.batch_id = landed.batch_id
    and item.account = known.account
    and item.order_id = known.order_id
