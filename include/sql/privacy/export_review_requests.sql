-- In: account, order_id. Out: when the buyer was asked for a review, and by whom.
select
    requested_at,
    actor,
    desk
from core.review_request
where account = %(account)s and order_id = %(order_id)s
order by requested_at, desk
