-- In: batches of mail. Out: placeholders of orders that their mail names and no feedback does are gone from
-- core.amazon_order, to be made anew: a misread mail may have told the wrong marketplace.
with named as (
    select distinct
        account,
        unnest(order_ids) as order_id
    from core.mail
    where batch_id = any(%(batch_ids)s::bigint[])
),

of_mail_alone as (
    select named.* from named
    left join core.feedback as rated
        on named.account = rated.account and named.order_id = rated.order_id
    where rated.order_id is null
)

delete from core.amazon_order as placeholder
using of_mail_alone
where
    placeholder.account = of_mail_alone.account
    and placeholder.order_id = of_mail_alone.order_id
    and placeholder.is_placeholder
