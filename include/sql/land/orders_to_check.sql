-- In: landed orders of the batches. Out: one row an order: what the rules look at, typed where it can be
-- typed and null where not; hours_ahead of the window's end (of as_of for a batch without a window).
with received as (
    select * from raw.order_received
    where batch_id = any(%(batch_ids)s::bigint[])
),

windows as (
    select
        batch_id,
        coalesce(window_end, %(as_of)s::timestamptz) as ends_at
    from ops.batch
),

items as (
    select
        received.batch_id,
        received.order_id,
        count(*) as item_count,
        count(*) - count(distinct item.value ->> 'orderItemId') as items_without_own_id,
        count(*) filter (
            where
            ops.whole(item.value ->> 'quantityOrdered') is null
            or (
                item.value #>> '{fulfillment, quantityFulfilled}' is not null
                and ops.whole(item.value #>> '{fulfillment, quantityFulfilled}') is null
            )
        ) as invalid_quantities,
        count(*) filter (
            where
            item.value #>> '{proceeds, proceedsTotal, amount}' is not null
            and ops.amount(item.value #>> '{proceeds, proceedsTotal, amount}') is null
        ) as invalid_amounts
    from received
    cross join
        lateral jsonb_array_elements(
            case jsonb_typeof(received.payload -> 'orderItems')
                when 'array' then received.payload -> 'orderItems'
            end
        ) as item (value)
    group by received.batch_id, received.order_id
),

packages as (
    select
        received.batch_id,
        received.order_id,
        count(*) as unreadable_times
    from received
    cross join
        lateral jsonb_array_elements(
            case jsonb_typeof(received.payload -> 'packages')
                when 'array' then received.payload -> 'packages'
            end
        ) as package (value)
    where
        package.value ->> 'shipTime' is not null
        and ops.instant(package.value ->> 'shipTime') is null
    group by received.batch_id, received.order_id
),

typed as (
    select
        batch_id,
        order_id,
        ops.instant(payload ->> 'createdTime') as created_at,
        ops.instant(payload ->> 'lastUpdatedTime') as last_updated_at,
        payload #>> '{fulfillment, fulfillmentStatus}' as status,
        coalesce(payload #>> '{salesChannel, marketplaceId}', '') as marketplace_id,
        payload #>> '{fulfillment, shipByWindow, latestDateTime}' as ship_by,
        payload #>> '{fulfillment, deliverByWindow, latestDateTime}' as deliver_by,
        payload #>> '{proceeds, grandTotal, amount}' as total
    from received
)

select
    typed.batch_id,
    typed.order_id as row_key,
    typed.created_at,
    typed.last_updated_at,
    typed.status,
    typed.marketplace_id,
    extract(epoch from typed.created_at - typed.last_updated_at) / 3600 as hours_created_after_update,
    extract(epoch from greatest(typed.created_at, typed.last_updated_at) - windows.ends_at) / 3600
        as hours_ahead,
    coalesce(items.item_count, 0) as item_count,
    coalesce(items.items_without_own_id, 0) as items_without_own_id,
    coalesce(items.invalid_quantities, 0) as invalid_quantities,
    coalesce(items.invalid_amounts, 0)
    + case when typed.total is not null and ops.amount(typed.total) is null then 1 else 0 end
        as invalid_amounts,
    coalesce(packages.unreadable_times, 0)
    + case when typed.ship_by is not null and ops.instant(typed.ship_by) is null then 1 else 0 end
    + case when typed.deliver_by is not null and ops.instant(typed.deliver_by) is null then 1 else 0 end
        as unreadable_times
from typed
inner join windows on typed.batch_id = windows.batch_id
left join items on typed.batch_id = items.batch_id and typed.order_id = items.order_id
left join packages on typed.batch_id = packages.batch_id and typed.order_id = packages.order_id
