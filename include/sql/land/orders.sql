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

passed as (
    select
        received.*,
        case jsonb_typeof(received.payload -> 'packages') when 'array' then received.payload -> 'packages' end
            as packages
    from received
    where
        not exists (
            select 1 from ops.quarantine as aside
            where
                aside.batch_id = received.batch_id
                and aside.dataset = 'orders'
                and aside.row_key = received.order_id
        )
),

typed as (
    select
        passed.account,
        passed.order_id,
        passed.region,
        %(marketplaces)s::jsonb ->> (passed.payload #>> '{salesChannel, marketplaceId}') as marketplace,
        passed.payload #>> '{fulfillment, fulfillmentStatus}' as status,
        passed.payload #>> '{fulfillment, fulfilledBy}' as fulfilled_by,
        passed.payload ->> 'shipCountry' as ship_country,
        ops.instant(passed.payload ->> 'createdTime') as ordered_at,
        ops.instant(passed.payload ->> 'lastUpdatedTime') as last_updated_at,
        ops.instant(passed.payload #>> '{fulfillment, shipByWindow, latestDateTime}') as ship_by_at,
        ops.instant(passed.payload #>> '{fulfillment, deliverByWindow, latestDateTime}') as deliver_by_at,
        (
            select min(ops.instant(package.value ->> 'shipTime'))
            from jsonb_array_elements(passed.packages) as package (value)
        ) as shipped_at,
        ops.amount(passed.payload #>> '{proceeds, grandTotal, amount}') as total_amount,
        passed.payload #>> '{proceeds, grandTotal, currencyCode}' as currency,
        passed.batch_id
    from passed
),

newest as (
    select distinct on (account, order_id) * from typed
    order by account asc, order_id asc, last_updated_at desc, batch_id desc
)

select
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
    false as is_placeholder,
    batch_id
from newest
order by account, order_id
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
