-- In: account, order_id. Out: what was sent.
select
    carrier,
    service,
    tracking_number,
    status,
    shipped_at
from core.amazon_order_package
where account = %(account)s and order_id = %(order_id)s
order by position
