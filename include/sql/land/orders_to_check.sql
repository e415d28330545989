-- In: landed orders of the batches. Out: one row an order: what the rules look at, typed where it can be
-- typed and null where not; hours_ahead of the window's end (of as_of for a batch without a window).
with received as (
    select
        *,
        case jsonb_typeof(payload -> 'orderItems') when 'array' then payload -> 'orderItems' end as items,
        case jsonb_typeof(payload -> 'packages') when 'array' then payload -> 'packages' end as packages
    from raw.order_received
    where batch_id = any(%(batch_ids)s::bigint[])
),

windows as (
    select
        batch_id,
        coalesce(window_end, %(as_of)s::timestamptz) as ends_at
    from ops.batch
    where batch_id = any(%(batch_ids)s::bigint[])
),

typed as (
    select
        received.batch_id,
        received.order_id,
        windows.ends_at,
        received.items,
        received.packages,
        ops.instant(received.payload ->> 'createdTime') as created_at,
        ops.instant(received.payload ->> 'lastUpdatedTime') as last_updated_at,
        received.payload #>> '{fulfillment, fulfillmentStatus}' as status,
        received.payload #>> '{fulfillment, fulfilledBy}' as fulfilled_by,
        coalesce(received.payload #>> '{salesChannel, marketplaceId}', '') as marketplace_id,
        received.payload #>> '{fulfillment, shipByWindow, latestDateTime}' as ship_by,
        received.payload #>> '{fulfillment, deliverByWindow, latestDateTime}' as deliver_by,
        received.payload #>> '{proceeds, grandTotal, amount}' as total
    from received
    inner join windows on received.batch_id = windows.batch_id
)

select
    typed.batch_id,
    typed.order_id as row_key,
    typed.created_at,
    typed.last_updated_at,
    typed.status,
    typed.fulfilled_by,
    typed.marketplace_id,
    extract(epoch from typed.created_at - typed.last_updated_at) / 3600 as hours_created_after_update,
    extract(epoch from greatest(typed.created_at, typed.last_updated_at) - typed.ends_at) / 3600
        as hours_ahead,
    item.item_count,
    item.items_without_own_id,
    item.invalid_quantities,
    item.nameless_items,
    item.misshapen_asins,
    item.misshapen_currencies,
    item.invalid_amounts
    + case when typed.total is not null and ops.amount(typed.total) is null then 1 else 0 end
        as invalid_amounts,
    package.unreadable_times
    + case when typed.ship_by is not null and ops.instant(typed.ship_by) is null then 1 else 0 end
    + case when typed.deliver_by is not null and ops.instant(typed.deliver_by) is null then 1 else 0 end
        as unreadable_times
from typed
cross join
    lateral (
        select
            count(*) as item_count,
            count(*) - count(distinct i.value ->> 'orderItemId') as items_without_own_id,
            count(*) filter (
                where
                ops.whole(i.value ->> 'quantityOrdered') is null
                or (
                    i.value #>> '{fulfillment, quantityFulfilled}' is not null
                    and ops.whole(i.value #>> '{fulfillment, quantityFulfilled}') is null
                )
            ) as invalid_quantities,
            count(*) filter (
                where
                i.value #>> '{proceeds, proceedsTotal, amount}' is not null
                and ops.amount(i.value #>> '{proceeds, proceedsTotal, amount}') is null
            ) as invalid_amounts,
            count(*) filter (
                where coalesce(i.value #>> '{product, sellerSku}', i.value #>> '{product, asin}') is null
            ) as nameless_items,
            count(*) filter (where i.value #>> '{product, asin}' !~ '^[A-Z0-9]{10}$') as misshapen_asins,
            count(*) filter (
                where i.value #>> '{proceeds, proceedsTotal, currencyCode}' !~ '^[A-Z]{3}$'
            ) as misshapen_currencies
        from jsonb_array_elements(typed.items) as i (value)
    ) as item
cross join lateral (
    select
        count(*) filter (
            where p.value ->> 'shipTime' is not null and ops.instant(p.value ->> 'shipTime') is null
        ) as unreadable_times
    from jsonb_array_elements(typed.packages) as p (value)
) as package
