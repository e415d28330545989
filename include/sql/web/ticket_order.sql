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
        mail.account,
        mail.order_ids[1] as order_id,
        min(mail.sent_at) as refund_noticed_at,
        sum(ops.amount(event.detail ->> 'amount')) as refunded,
        min(event.detail ->> 'currency') as refund_currency
    from orders
    inner join core.mail as mail
        on orders.account = mail.account and orders.order_id = mail.order_ids[1] and mail.kind = 'refund_notice'
    left join core.ticket_event as event
        on mail.account = event.account and event.source = 'mail' and mail.mail_id = event.source_id
    group by mail.account, mail.order_ids[1]
),

-- Where it was to go before, if Amazon told of another country then.
moved as (
    select
        received.account,
        received.order_id,
        received.payload ->> 'shipCountry' as previous_ship_country,
        received.batch_id
    from raw.order_received as received
    inner join orders on received.account = orders.account and received.order_id = orders.order_id
    where received.payload ->> 'shipCountry' <> orders.ship_country
    order by received.batch_id desc
    limit 1
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
    refunds.refunded,
    refunds.refund_currency,
    moved.previous_ship_country,
    orders.status not in ('PENDING', 'PENDING_AVAILABILITY') as is_paid,
    feedback.rating,
    feedback.rated_on,
    feedback.removed_at as feedback_removed_at
from orders
left join amounts on orders.account = amounts.account and orders.order_id = amounts.order_id
left join refunds on orders.account = refunds.account and orders.order_id = refunds.order_id
left join moved on orders.account = moved.account and orders.order_id = moved.order_id
left join core.feedback as feedback on orders.account = feedback.account and orders.order_id = feedback.order_id
