-- In: ops.batch. Out: the dataset's checked, not rejected, not yet published batches, locked for
-- this transaction; those that another publisher holds are left to it.
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
for update skip locked
