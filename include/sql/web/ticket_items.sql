-- In: account, order_id. Out: what was ordered, a row an item, as the order lists it.
select
    title,
    sku,
    asin,
    quantity,
    amount,
    currency
from core.amazon_order_item
where account = %(account)s and order_id = %(order_id)s
order by position
