-- In: account, order_id. Out: the order beside a ticket, if it is known; no personal data. Amounts in its currency.
-- What an order that is pending does not have yet is null.
with orders as (
    select * from core.amazon_order
    where account = %(account)s and order_id = %(order_id)s
),

amounts as (
    select
        account,
        order_id,
        sum(discount) as discount,
        sum(tax) as tax
    from core.amazon_order_item
    where account = %(account)s and order_id = %(order_id)s
    group by account, order_id
),

refunds as (
    select
        account,
        order_ids[1] as order_id,
        min(sent_at) as refund_noticed_at
    from core.mail
    where account = %(account)s and order_ids[1] = %(order_id)s and kind = 'refund_notice'
    group by account, order_ids[1]
)

select
    orders.account,
    orders.order_id,
    orders.marketplace,
    orders.status,
    orders.fulfilled_by,
    orders.ordered_at,
    orders.ship_by_at,
    orders.shipped_at,
    orders.deliver_by_at,
    orders.total_amount,
    orders.currency,
    orders.ship_country,
    orders.is_business,
    orders.is_prime,
    orders.is_placeholder,
    amounts.discount,
    amounts.tax,
    refunds.refund_noticed_at,
    feedback.rating,
    feedback.rated_on,
    feedback.removed_at as feedback_removed_at
from orders
left join amounts on orders.account = amounts.account and orders.order_id = amounts.order_id
left join refunds on orders.account = refunds.account and orders.order_id = refunds.order_id
left join core.feedback as feedback on orders.account = feedback.account and orders.order_id = feedback.order_id
