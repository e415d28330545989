-- In: account, ticket_id, order_id, buyer_ref, as_of. Out: the other tickets of the order, and those of the buyer
-- within 365 days before, newest first; a buyer is told by a keyed hash.
with periods as (
    select * from mart.ticket_status
    where
        account = %(account)s
        and from_at <= %(as_of)s::timestamptz
        and until_at > %(as_of)s::timestamptz
),

of_order as (
    select
        *,
        true as is_of_order
    from mart.ticket
    where account = %(account)s and order_id = %(order_id)s
),

of_buyer as (
    select
        *,
        false as is_of_order
    from mart.ticket
    where
        account = %(account)s
        and buyer_ref = %(buyer_ref)s
        and last_event_at > %(as_of)s::timestamptz - interval '365 days'
),

relatives as (
    select * from of_order
    union all
    select * from of_buyer
),

others as (
    select distinct on (ticket_id) *
    from relatives
    where ticket_id <> %(ticket_id)s and created_at <= %(as_of)s::timestamptz
    order by ticket_id asc, is_of_order desc
)

select
    others.account,
    others.ticket_id,
    others.marketplace,
    others.ticket_type,
    others.order_id,
    others.created_at,
    others.is_of_order,
    periods.status
from others
inner join periods on others.account = periods.account and others.ticket_id = periods.ticket_id
order by others.created_at desc, others.ticket_id asc
limit 50
