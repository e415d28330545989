-- In: order ids named by mail that came first with the batches; region of each marketplace.
-- Out: core.amazon_order has a placeholder for each that it does not know, until Amazon tells of the order.
-- Mail that nobody vouches for (unknown, imitation) and mail without a marketplace makes none.
insert into core.amazon_order (account, order_id, region, marketplace, is_placeholder)
with new_mail as (
    select * from core.mail
    where batch_id = any(%(batch_ids)s::bigint[]) and kind not in ('unknown', 'imitation')
),

named as (
    select
        new_mail.account,
        named.order_id,
        min(new_mail.marketplace) as marketplace
    from new_mail
    cross join lateral unnest(new_mail.order_ids) as named (order_id)
    where jsonb_exists(%(regions)s::jsonb, new_mail.marketplace)
    group by new_mail.account, named.order_id
)

select
    account,
    order_id,
    %(regions)s::jsonb ->> marketplace as region,
    marketplace,
    true as is_placeholder
from named
order by account, order_id
on conflict (account, order_id) do nothing
