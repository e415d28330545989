-- In: orders whose version in core.amazon_order came with the batches, and what landed of them; countries whose
-- prices are without tax. Out: core.amazon_order_item, positions from 1 on in the order received.
insert into core.amazon_order_item (
    account,
    order_id,
    position,
    asin,
    sku,
    title,
    quantity,
    amount,
    item_price,
    shipping_price,
    gift_wrap_price,
    tax,
    discount,
    promotion_ids,
    currency
)
with aside as (
    select * from ops.quarantine
    where batch_id = any(%(batch_ids)s::bigint[])
),

landed as (
    select * from raw.order_received
    where batch_id = any(%(batch_ids)s::bigint[])
),

current_orders as (
    select landed.* from landed
    inner join core.amazon_order as known
        on
            landed.account = known.account
            and landed.order_id = known.order_id
            and landed.batch_id = known.batch_id
),

items_of_api as (
    select
        current_orders.account,
        current_orders.order_id,
        item.position,
        item.value as item,
        ops.whole(item.value ->> 'quantityOrdered') as quantity,
        item.value -> 'proceeds' as proceeds,
        item.value #> '{product, price, unitPrice}' as unit_price
    from current_orders
    cross join
        lateral jsonb_array_elements(current_orders.payload -> 'orderItems')
        with ordinality as item (value, position)
),

of_api as (
    select
        account,
        order_id,
        position,
        item #>> '{product, asin}' as asin,
        item #>> '{product, sellerSku}' as sku,
        item #>> '{product, title}' as title,
        quantity,
        ops.amount(proceeds #>> '{proceedsTotal, amount}') as amount,
        coalesce(ops.proceeds(proceeds, 'ITEM'), ops.amount(unit_price ->> 'amount') * quantity) as item_price,
        ops.proceeds(proceeds, 'SHIPPING') as shipping_price,
        ops.proceeds(proceeds, 'GIFT_WRAP') as gift_wrap_price,
        ops.proceeds(proceeds, 'TAX') as tax,
        abs(ops.proceeds(proceeds, 'DISCOUNT')) as discount,
        array(
            select promotion.value #>> '{}'
            from jsonb_path_query(items_of_api.item, 'lax $.promotion.breakdowns[*].promotionId') as promotion (value)
        ) as promotion_ids,
        coalesce(proceeds #>> '{proceedsTotal, currencyCode}', unit_price ->> 'currencyCode') as currency
    from items_of_api
),

lines as (
    select
        *,
        price - coalesce(discount, 0)
        + case
            when (%(domains)s::jsonb ->> lower(sales_channel)) = any(%(without_tax)s::text[]) then coalesce(tax, 0)
            else 0
        end as amount
    from raw.order_report_line
    where batch_id = any(%(batch_ids)s::bigint[])
),

of_report as (
    select
        lines.account,
        lines.order_id,
        row_number() over (
            partition by lines.account, lines.order_id
            order by lines.line_number
        ) as position,
        lines.asin,
        lines.sku,
        lines.title,
        lines.quantity,
        lines.amount,
        lines.item_price,
        lines.shipping_price,
        lines.gift_wrap_price,
        lines.tax,
        lines.discount,
        regexp_split_to_array(coalesce(lines.promotion_ids, ''), '\s*,\s*') as promotion_ids,
        lines.currency
    from lines
    inner join core.amazon_order as known
        on
            lines.account = known.account
            and lines.order_id = known.order_id
            and lines.batch_id = known.batch_id
    left join aside on lines.batch_id = aside.batch_id and aside.row_key = 'line ' || lines.line_number
    where aside.batch_id is null
),

items as (
    select * from of_api
    union all
    select * from of_report
)

select
    account,
    order_id,
    position,
    asin,
    sku,
    title,
    quantity,
    amount,
    item_price,
    shipping_price,
    gift_wrap_price,
    tax,
    discount,
    array_remove(promotion_ids, '') as promotion_ids,
    currency
from items
