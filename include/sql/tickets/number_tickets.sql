-- In: batch_claim, batch_merged. Out: temporary table batch_key, the claimed keys with the number, from 1, and the
-- name of the ticket that their events belong to.
create temporary table batch_key on commit drop as
with named as (
    select
        batch_claim.account,
        batch_claim.ticket_key,
        coalesce(batch_merged.into_key, batch_claim.ticket_key) as named_key
    from batch_claim
    left join batch_merged
        on batch_claim.account = batch_merged.account and batch_claim.ticket_key = batch_merged.ticket_key
)

select
    account,
    ticket_key,
    named_key,
    dense_rank() over (order by account, named_key) as ticket_no
from named
