-- In: orders whose newest version from the API came with the batches. Out: their old packages are gone from
-- core.amazon_order_package; the next step writes the new ones.
delete from core.amazon_order_package as package
using core.amazon_order as known, raw.order_received as received
where
    received.batch_id = any(%(batch_ids)s::bigint[])
    and known.account = received.account
    and known.order_id = received.order_id
    and known.api_batch_id = received.batch_id
    and package.account = known.account
    and package.order_id = known.order_id
