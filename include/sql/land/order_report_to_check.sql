-- In: landed lines of the all-orders report of the batches. Out: one row a line: what the rules look at. The status is
-- in the API's words, the sales channel in lower case as a domain; hours_ahead of the window's end; copies: how many
-- lines of the batch say the same of the same order.
with lines as (
    select * from raw.order_report_row
    where batch_id = any(%(batch_ids)s::bigint[])
),

windows as (
    select
        batch_id,
        coalesce(window_end, %(as_of)s::timestamptz) as ends_at
    from ops.batch
    where batch_id = any(%(batch_ids)s::bigint[])
)

select
    lines.batch_id,
    'line ' || lines.line_number as row_key,
    coalesce(lines.order_id, '') as order_id,
    lines.ordered_at as created_at,
    lines.last_updated_at,
    ops.constant_name(lines.status) as status,
    ops.constant_name(lines.fulfillment_channel) as fulfilled_by,
    lower(lines.sales_channel) as sales_channel,
    lines.quantity,
    lines.sku,
    lines.asin,
    lines.currency,
    count(*) over (
        partition by lines.batch_id, lines.order_id, lines.sku, lines.quantity, lines.item_price, lines.last_updated_at
    ) as copies,
    extract(epoch from lines.ordered_at - lines.last_updated_at) / 3600 as hours_created_after_update,
    extract(epoch from greatest(lines.ordered_at, lines.last_updated_at) - windows.ends_at) / 3600
        as hours_ahead,
    greatest(
        abs(lines.item_price),
        abs(lines.item_tax),
        abs(lines.shipping_price),
        abs(lines.shipping_tax),
        abs(lines.gift_wrap_price),
        abs(lines.gift_wrap_tax),
        abs(lines.item_discount),
        abs(lines.shipping_discount)
    ) as largest_amount
from lines
inner join windows on lines.batch_id = windows.batch_id
