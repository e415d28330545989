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
with landed as (
    select * from raw.order_received
    where batch_id = any(%(batch_ids)s::bigint[])
),

newest as (
    select landed.* from landed
    inner join core.amazon_order as known
        on
            landed.account = known.account
            and landed.order_id = known.order_id
            and landed.batch_id = known.batch_id
),

items as (
    select
        newest.account,
        newest.order_id,
        item.value as item,
        item.position
    from newest
    cross join
        lateral jsonb_array_elements(newest.payload -> 'orderItems')
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
