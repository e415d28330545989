-- In: a batch, the one whose rows it brings once more, how many rows (null: as it says). Out: ops.batch says so.
update ops.batch
set
    retry_of = %(batch_id)s::bigint,
    row_count = coalesce(%(row_count)s::integer, row_count)
where batch_id = %(retry_batch_id)s::bigint
