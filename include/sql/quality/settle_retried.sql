-- In: a batch, keys of rows that were landed once more, the batch that brings them (null: none was needed), when.
-- Out: ops.quarantine says so, whatever rules they had broken; the lines as received are gone, the new batch has them.
with settled as (
    update ops.quarantine
    set
        settled_at = %(settled_at)s::timestamptz,
        settled_as = 'retried',
        retry_batch_id = %(retry_batch_id)s::bigint
    where
        settled_at is null
        and batch_id = %(batch_id)s::bigint
        and row_key = any(%(row_keys)s::text[])
    returning quarantine_id
)

delete from pii.quarantined_row as received
using settled
where received.quarantine_id = settled.quarantine_id
