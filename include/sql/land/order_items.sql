-- In: orders whose version in core.amazon_order came with the batches, and their landed payload.
-- Out: core.amazon_order_item, one row an item, positions from 1 on. amount: what the item brings in.
insert into core.amazon_order_item (
    account,
    order_id,
    order_item_id,
    position,
    asin,
    sku,
    title,
    quantity,
    quantity_shipped,
    amount,
    currency
)
with new_versions as (
    select * from core.amazon_order
    where batch_id = any(%(batch_ids)s::bigint[])
),

received as (
    select r.* from raw.order_received as r
    inner join new_versions as v
        on r.account = v.account and r.order_id = v.order_id and r.batch_id = v.batch_id
),

items as (
    select
        received.account,
        received.order_id,
        item.value as item,
        item.position
    from received
    cross join
        lateral jsonb_array_elements(received.payload -> 'orderItems')
        with ordinality as item (value, position)
)

select
    account,
    order_id,
    item ->> 'orderItemId' as order_item_id,
    position,
    item #>> '{product, asin}' as asin,
    item #>> '{product, sellerSku}' as sku,
    item #>> '{product, title}' as title,
    ops.whole(item ->> 'quantityOrdered') as quantity,
    ops.whole(item #>> '{fulfillment, quantityFulfilled}') as quantity_shipped,
    ops.amount(item #>> '{proceeds, proceedsTotal, amount}') as amount,
    item #>> '{proceeds, proceedsTotal, currencyCode}' as currency
from items
