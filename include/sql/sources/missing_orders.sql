-- In: placeholders of the account and region in the marketplaces; attempts to fetch them.
-- Out: the order ids to ask for now, never asked for first.
with placeholders as (
    select * from core.amazon_order
    where
        account = %(account)s::text
        and region = %(region)s::text
        and marketplace = any(%(marketplaces)s::text[])
        and is_placeholder
),

asked as (
    select
        *,
        next_at is null or next_at > %(now)s::timestamptz as is_waiting
    from ops.order_lookup
    where account = %(account)s::text
)

select placeholders.order_id
from placeholders
left join asked
    on placeholders.account = asked.account and placeholders.order_id = asked.order_id
where asked.is_waiting is not true
order by asked.next_at asc nulls first, placeholders.order_id asc
limit %(most)s::integer
