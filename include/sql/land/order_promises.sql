-- In: landed orders of the API, of the batches, that core.amazon_order knows. Out: what only the API tells of an order
-- (until when to ship and deliver, first shipped, Prime), from its newest version.
with received as (
    select
        landed.*,
        (
            select min(ops.instant(time_shipped.value #>> '{}'))
            from jsonb_path_query(landed.payload, 'lax $.packages[*].shipTime') as time_shipped (value)
        ) as shipped_at
    from raw.order_received as landed
    where landed.batch_id = any(%(batch_ids)s::bigint[])
),

aside as (
    select * from ops.quarantine
    where batch_id = any(%(batch_ids)s::bigint[])
),

newest as (
    select distinct on (received.account, received.order_id)
        received.account,
        received.order_id,
        received.batch_id,
        received.payload,
        received.shipped_at,
        ops.instant(received.payload ->> 'lastUpdatedTime') as updated_at
    from received
    left join aside on received.batch_id = aside.batch_id and received.order_id = aside.row_key
    where aside.batch_id is null
    order by received.account asc, received.order_id asc, updated_at desc, received.batch_id desc
)

update core.amazon_order as known
set
    ship_by_at = ops.instant(newest.payload #>> '{fulfillment, shipByWindow, latestDateTime}'),
    deliver_by_at = ops.instant(newest.payload #>> '{fulfillment, deliverByWindow, latestDateTime}'),
    shipped_at = newest.shipped_at,
    is_prime = coalesce(newest.payload -> 'programs' @> '"PRIME"', false),
    api_updated_at = newest.updated_at,
    api_batch_id = newest.batch_id
from newest
where
    known.account = newest.account
    and known.order_id = newest.order_id
    and (known.api_updated_at is null or known.api_updated_at <= newest.updated_at)
