-- In: orders of landed feedback that is not in quarantine; region of each marketplace. Out: core.amazon_order has a
-- placeholder for each that it does not know, until Amazon tells of the order.
insert into core.amazon_order (account, order_id, region, marketplace, is_placeholder)
with received as (
    select * from raw.feedback_received
    where batch_id = any(%(batch_ids)s::bigint[])
),

reports as (
    select * from raw.feedback_report
    where batch_id = any(%(batch_ids)s::bigint[]) and jsonb_exists(%(regions)s::jsonb, marketplace)
),

named as (
    select
        received.account,
        received.order_id,
        min(reports.marketplace) as marketplace
    from received
    inner join reports on received.account = reports.account and received.batch_id = reports.batch_id
    where
        not exists (
            select 1 from ops.quarantine as aside
            where
                aside.batch_id = received.batch_id
                and aside.dataset = 'feedback'
                and aside.row_key = 'line ' || received.line_number
        )
    group by received.account, received.order_id
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
