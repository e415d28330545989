-- In: account, order_id. Out: what was ordered.
select
    position,
    title,
    sku,
    asin,
    quantity,
    amount,
    currency
from core.amazon_order_item
where account = %(account)s and order_id = %(order_id)s
order by position
