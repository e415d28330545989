-- In: ids of batches. Out: those that nobody has checked in the meantime, locked for this transaction.
select batch_id
from ops.batch
where batch_id = any(%(batch_ids)s::bigint[]) and checked_at is null
order by batch_id
for update
