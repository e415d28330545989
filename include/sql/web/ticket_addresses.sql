-- In: account, order_id. Out: where the order was to go, as Amazon told one time after another, the newest first.
-- Personal data.
with told as (
    select
        batch_id,
        payload -> 'recipient' -> 'deliveryAddress' as address
    from pii.order_received
    where account = %(account)s and order_id = %(order_id)s
),

changes as (
    select
        *,
        lag(address) over (order by batch_id) as address_before
    from told
    where address is not null
)

select
    changes.address,
    batch.landed_at
from changes
inner join ops.batch as batch on changes.batch_id = batch.batch_id
where changes.address is distinct from changes.address_before
order by changes.batch_id desc
limit 5
