-- In: ops.batch. Out: the dataset's checked, not rejected, not yet published batches, locked for this transaction.
-- Those that another publisher holds are waited for: who goes on to fold must find published what was checked.
select
    batch_id,
    row_count
from ops.batch
where
    dataset = %(dataset)s::text
    and checked_at is not null
    and rejected_because is null
    and published_at is null
order by batch_id
for update
