-- In: account, order_id. Out: who ordered and where it goes, as known and as each pull received it. Personal data.
with received as (
    select * from pii.order_received
    where account = %(account)s and order_id = %(order_id)s
)

select
    'known' as source,
    last_updated_at as told_at,
    buyer_name,
    buyer_alias,
    recipient,
    removed_at
from pii.order_contact
where account = %(account)s and order_id = %(order_id)s
union all
select
    'pull ' || received.batch_id as source,
    batch.landed_at as told_at,
    received.payload #>> '{buyer, buyerName}' as buyer_name,
    received.payload #>> '{buyer, buyerEmail}' as buyer_alias,
    received.payload -> 'recipient' as recipient,
    null as removed_at
from received
inner join ops.batch as batch on received.batch_id = batch.batch_id
order by source, told_at
