-- In: landed orders of the batches without those in quarantine; countries by marketplace id.
-- Out: core.amazon_order, where the newest version stays; a placeholder gives way to the order.
insert into core.amazon_order as known (
    account,
    order_id,
    region,
    marketplace,
    status,
    fulfilled_by,
    ship_country,
    ordered_at,
    last_updated_at,
    ship_by_at,
    deliver_by_at,
    shipped_at,
    total_amount,
    currency,
    is_placeholder,
    batch_id
)
with received as (
    select * from raw.order_received
    where batch_id = any(%(batch_ids)s::bigint[])
),

set_aside as (
    select
        batch_id,
        row_key
    from ops.quarantine
    where dataset = 'orders' and batch_id = any(%(batch_ids)s::bigint[])
),

passed as (
    select received.* from received
    where
        not exists (
            select 1 from set_aside
            where set_aside.batch_id = received.batch_id and set_aside.row_key = received.order_id
        )
),

shipped as (
    select
        passed.account,
        passed.order_id,
        passed.batch_id,
        min(ops.instant(package.value ->> 'shipTime')) as shipped_at
    from passed
    cross join
        lateral jsonb_array_elements(
            case jsonb_typeof(passed.payload -> 'packages') when 'array' then passed.payload -> 'packages' end
        ) as package (value)
    group by passed.account, passed.order_id, passed.batch_id
),

typed as (
    select
        account,
        order_id,
        region,
        %(marketplaces)s::jsonb ->> (payload #>> '{salesChannel, marketplaceId}') as marketplace,
        payload #>> '{fulfillment, fulfillmentStatus}' as status,
        payload #>> '{fulfillment, fulfilledBy}' as fulfilled_by,
        payload ->> 'shipCountry' as ship_country,
        ops.instant(payload ->> 'createdTime') as ordered_at,
        ops.instant(payload ->> 'lastUpdatedTime') as last_updated_at,
        ops.instant(payload #>> '{fulfillment, shipByWindow, latestDateTime}') as ship_by_at,
        ops.instant(payload #>> '{fulfillment, deliverByWindow, latestDateTime}') as deliver_by_at,
        ops.amount(payload #>> '{proceeds, grandTotal, amount}') as total_amount,
        payload #>> '{proceeds, grandTotal, currencyCode}' as currency,
        batch_id
    from passed
),

newest as (
    select distinct on (account, order_id) * from typed
    order by account asc, order_id asc, last_updated_at desc, batch_id desc
)

select
    newest.account,
    newest.order_id,
    newest.region,
    newest.marketplace,
    newest.status,
    newest.fulfilled_by,
    newest.ship_country,
    newest.ordered_at,
    newest.last_updated_at,
    newest.ship_by_at,
    newest.deliver_by_at,
    shipped.shipped_at,
    newest.total_amount,
    newest.currency,
    false as is_placeholder,
    newest.batch_id
from newest
left join shipped
    on
        newest.account = shipped.account
        and newest.order_id = shipped.order_id
        and newest.batch_id = shipped.batch_id
order by newest.account, newest.order_id
on conflict (account, order_id) do update
    set
        region = excluded.region,
        marketplace = excluded.marketplace,
        status = excluded.status,
        fulfilled_by = excluded.fulfilled_by,
        ship_country = coalesce(excluded.ship_country, known.ship_country),
        ordered_at = excluded.ordered_at,
        last_updated_at = excluded.last_updated_at,
        ship_by_at = excluded.ship_by_at,
        deliver_by_at = excluded.deliver_by_at,
        shipped_at = excluded.shipped_at,
        total_amount = excluded.total_amount,
        currency = excluded.currency,
        is_placeholder = false,
        batch_id = excluded.batch_id
    where known.is_placeholder or known.last_updated_at <= excluded.last_updated_at
