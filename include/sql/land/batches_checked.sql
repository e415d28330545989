-- In: checked batches and why they are rejected as a whole (null: they are not), as lists of the same length.
-- Out: ops.batch says so.
update ops.batch as checked
set
    checked_at = %(checked_at)s::timestamptz,
    rejected_because = verdict.rejected_because
from unnest(%(batch_ids)s::bigint[], %(reasons)s::text[]) as verdict (batch_id, rejected_because)
where verdict.batch_id = checked.batch_id
