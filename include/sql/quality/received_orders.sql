-- In: a batch of orders, keys of its rows. Out: the orders as received (personal data), and their region.
with landed as (
    select * from raw.order_received
    where batch_id = %(batch_id)s::bigint and order_id = any(%(row_keys)s::text[])
)

select
    landed.order_id as row_key,
    landed.region,
    landed.payload || received.payload as payload
from landed
inner join pii.order_received as received
    on
        landed.account = received.account
        and landed.order_id = received.order_id
        and landed.batch_id = received.batch_id
order by landed.order_id
