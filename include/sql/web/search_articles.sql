-- In: accounts, asked. Out: tickets of the orders that hold an article of that SKU or ASIN, the newest first.
with articles as (
    select
        account,
        order_id
    from core.amazon_order_item
    where account = any(%(accounts)s::text[]) and sku = %(asked)s
    union
    select
        account,
        order_id
    from core.amazon_order_item
    where account = any(%(accounts)s::text[]) and asin = %(asked)s
)

select
    ticket.account,
    ticket.ticket_id
from articles
inner join mart.ticket as ticket on articles.account = ticket.account and articles.order_id = ticket.order_id
order by ticket.last_event_at desc
limit 200
