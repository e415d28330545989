-- In: ids of batches whose facts are written. Out: ops.batch says so.
update ops.batch
set published_at = %(published_at)s::timestamptz
where batch_id = any(%(batch_ids)s::bigint[])
