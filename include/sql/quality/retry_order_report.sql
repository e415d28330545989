-- In: a batch of report lines, keys of some, a batch that may hold lines that can be read by now. Out: in that batch
-- all landed lines of the orders of both: an order's items are replaced whole. Returns the keys of the copied lines.
insert into raw.order_report_row (
    batch_id,
    account,
    region,
    line_number,
    order_id,
    ordered_at,
    last_updated_at,
    status,
    fulfillment_channel,
    sales_channel,
    service_level,
    ship_country,
    is_business,
    title,
    sku,
    asin,
    quantity,
    currency,
    item_price,
    item_tax,
    shipping_price,
    shipping_tax,
    gift_wrap_price,
    gift_wrap_tax,
    item_discount,
    shipping_discount,
    promotion_ids
)
with landed as (
    select * from raw.order_report_row
    where batch_id = %(batch_id)s::bigint
),

named as (
    select order_id from landed
    where 'line ' || line_number = any(%(row_keys)s::text[])
    union
    select order_id from raw.order_report_row
    where batch_id = %(retry_batch_id)s::bigint
)

select
    %(retry_batch_id)s::bigint as batch_id,
    account,
    region,
    line_number,
    order_id,
    ordered_at,
    last_updated_at,
    status,
    fulfillment_channel,
    sales_channel,
    service_level,
    ship_country,
    is_business,
    title,
    sku,
    asin,
    quantity,
    currency,
    item_price,
    item_tax,
    shipping_price,
    shipping_tax,
    gift_wrap_price,
    gift_wrap_tax,
    item_discount,
    shipping_discount,
    promotion_ids
from landed
where
    'line ' || line_number = any(%(row_keys)s::text[])
    or exists (
        select 1 from named
        where named.order_id = landed.order_id
    )
returning 'line ' || line_number as row_key
