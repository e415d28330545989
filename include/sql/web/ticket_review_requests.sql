-- In: account, order_id, as_of. Out: when the order's buyer was asked for a review, the latest first; no personal data
-- of buyers.
select
    requested_at,
    actor,
    desk
from core.review_request
where account = %(account)s and order_id = %(order_id)s and requested_at <= %(as_of)s::timestamptz
order by requested_at desc, desk asc
