-- In: account, order_id. Out: the order as it stands.
select
    account,
    order_id,
    marketplace,
    status,
    fulfilled_by,
    ship_country,
    is_business,
    ordered_at,
    last_updated_at,
    ship_by_at,
    shipped_at,
    deliver_by_at,
    total_amount,
    currency
from core.amazon_order
where account = %(account)s and order_id = %(order_id)s
