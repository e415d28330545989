-- In: placeholders; attempts to fetch them. Out: the accounts with at least one to ask for now.
with placeholders as (
    select
        account,
        order_id
    from core.amazon_order
    where is_placeholder
),

asked_not_due as (
    select * from ops.order_lookup
    where next_at is null or next_at > %(now)s::timestamptz
)

select distinct placeholders.account
from placeholders
left join asked_not_due
    on placeholders.account = asked_not_due.account and placeholders.order_id = asked_not_due.order_id
where asked_not_due.account is null
order by placeholders.account
