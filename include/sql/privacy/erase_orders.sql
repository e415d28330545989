-- In: account, order_ids, aliases, buyer_refs of one buyer. Out: temporary table privacy_due_order: these orders and
-- all others of the buyer.
create temporary table privacy_due_order as
with orders as (
    select unnest(%(order_ids)s::text[]) as order_id
    union
    select order_id from pii.order_contact
    where
        account = %(account)s
        and (buyer_alias = any(%(aliases)s::text[]) or buyer_ref = any(%(buyer_refs)s::text[]))
    union
    select order_id from mart.ticket
    where account = %(account)s and buyer_ref = any(%(buyer_refs)s::text[]) and order_id is not null
)

select
    row_number() over (order by order_id) as number,
    %(account)s::text as account,
    order_id
from orders
