-- In: an account; a batch. Out: the published batches of the account's mail from that one on: what came later may be
-- linked to what came before it.
with of_account as (
    select * from ops.batch
    where account = %(account)s::text
)

select batch_id
from of_account
where
    dataset = 'mail'
    and batch_id >= %(first_batch_id)s::bigint
    and published_at is not null
order by batch_id
