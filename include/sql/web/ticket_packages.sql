-- In: account, order_id. Out: its packages, a row each.
select
    carrier,
    tracking_number,
    status,
    shipped_at
from core.amazon_order_package
where account = %(account)s and order_id = %(order_id)s
order by position
