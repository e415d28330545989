-- In: ops.batch. Out: the dataset's batches that nobody has checked.
select
    batch_id,
    account,
    scope,
    row_count
from ops.batch
where dataset = %(dataset)s::text and checked_at is null
order by batch_id
