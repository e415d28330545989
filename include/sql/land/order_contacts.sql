-- In: orders whose newest version from the API came with the batches, and their landed personal data.
-- Out: pii.order_contact; what Amazon no longer tells stays as it was. The alias is in lower case
-- without its case. Contacts that were removed do not come back.
insert into pii.order_contact as known (
    account, order_id, buyer_name, buyer_alias, recipient, last_updated_at
)
with landed as (
    select * from raw.order_received
    where batch_id = any(%(batch_ids)s::bigint[])
),

received as (
    select
        r.account,
        r.order_id,
        r.payload #>> '{buyer, buyerName}' as buyer_name,
        lower(regexp_replace(r.payload #>> '{buyer, buyerEmail}', '\+[^@]*@', '@')) as buyer_alias,
        nullif(r.payload -> 'recipient', 'null') as recipient,
        known.api_updated_at as last_updated_at
    from landed
    inner join core.amazon_order as known
        on
            landed.account = known.account
            and landed.order_id = known.order_id
            and landed.batch_id = known.api_batch_id
    inner join pii.order_received as r
        on landed.account = r.account and landed.order_id = r.order_id and landed.batch_id = r.batch_id
)

select * from received
where
    (coalesce(buyer_name, buyer_alias) is not null or recipient is not null)
    and not exists (
        select 1 from ops.removal as removal
        where removal.account = received.account and removal.kind = 'order' and removal.key = received.order_id
    )
order by account, order_id
on conflict (account, order_id) do update
    set
        buyer_name = coalesce(excluded.buyer_name, known.buyer_name),
        buyer_alias = coalesce(excluded.buyer_alias, known.buyer_alias),
        recipient = coalesce(excluded.recipient, known.recipient),
        last_updated_at = excluded.last_updated_at
    where known.last_updated_at <= excluded.last_updated_at and known.removed_at is null
