-- In: a rejected batch, why it may be published all the same. Out: ops.batch says so; its rows in quarantine stay
-- there. Returns its dataset.
update ops.batch
set
    rejected_because = null,
    accepted_because = %(because)s::text
where
    rejected_because is not null
    and discarded_at is null
    and batch_id = %(batch_id)s::bigint
returning dataset
