-- In: orders whose newest version from the API came with the batches. Out: core.amazon_order_item_progress.
insert into core.amazon_order_item_progress (
    account,
    order_id,
    order_item_id,
    sku,
    asin,
    quantity,
    quantity_shipped,
    condition,
    cancel_requested_by,
    cancel_requested_because,
    cancelled_by,
    cancelled_because
)
with landed as (
    select * from raw.order_received
    where batch_id = any(%(batch_ids)s::bigint[])
),

items as (
    select
        landed.account,
        landed.order_id,
        item.value as item,
        item.value -> 'cancellation' as cancellation
    from landed
    inner join core.amazon_order as known
        on
            landed.account = known.account
            and landed.order_id = known.order_id
            and landed.batch_id = known.api_batch_id
    cross join lateral jsonb_path_query(landed.payload, 'lax $.orderItems[*]') as item (value)
)

select
    account,
    order_id,
    item ->> 'orderItemId' as order_item_id,
    item #>> '{product, sellerSku}' as sku,
    item #>> '{product, asin}' as asin,
    ops.whole(item ->> 'quantityOrdered') as quantity,
    ops.whole(item #>> '{fulfillment, quantityFulfilled}') as quantity_shipped,
    nullif(
        concat_ws(
            ' ',
            item #>> '{product, condition, conditionType}',
            nullif(
                item #>> '{product, condition, conditionSubtype}',
                item #>> '{product, condition, conditionType}'
            )
        ),
        ''
    ) as condition,
    cancellation #>> '{cancellationRequest, requester}' as cancel_requested_by,
    cancellation #>> '{cancellationRequest, cancelReason}' as cancel_requested_because,
    cancellation #>> '{cancellationExecution, cancelledBy}' as cancelled_by,
    cancellation #>> '{cancellationExecution, cancelReason}' as cancelled_because
from items
