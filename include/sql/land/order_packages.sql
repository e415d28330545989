-- In: orders whose newest version from the API came with the batches. Out: core.amazon_order_package, positions from 1
-- on in the order received.
insert into core.amazon_order_package (
    account,
    order_id,
    position,
    package_id,
    status,
    detailed_status,
    carrier,
    service,
    tracking_number,
    shipped_at
)
with landed as (
    select * from raw.order_received
    where batch_id = any(%(batch_ids)s::bigint[])
)

select
    landed.account,
    landed.order_id,
    package.position,
    package.value ->> 'packageReferenceId' as package_id,
    package.value #>> '{packageStatus, status}' as status,
    package.value #>> '{packageStatus, detailedStatus}' as detailed_status,
    package.value ->> 'carrier' as carrier,
    package.value ->> 'shippingService' as service,
    package.value ->> 'trackingNumber' as tracking_number,
    ops.instant(package.value ->> 'shipTime') as shipped_at
from landed
inner join core.amazon_order as known
    on
        landed.account = known.account
        and landed.order_id = known.order_id
        and landed.batch_id = known.api_batch_id
cross join
    lateral jsonb_path_query(landed.payload, 'lax $.packages[*]')
    with ordinality as package (value, position)
