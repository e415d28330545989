-- In: account, dataset, batch_id (each null: any). Out: rejected batches that waited are unchecked again, and nothing
-- that the checks said of their rows stays in quarantine (lines that could not be landed do); their ids and datasets.
with unchecked as (
    update ops.batch
    set
        checked_at = null,
        rejected_because = null
    where
        rejected_because is not null
        and discarded_at is null
        and (%(account)s::text is null or account = %(account)s::text)
        and (%(dataset)s::text is null or dataset = %(dataset)s::text)
        and (%(batch_id)s::bigint is null or batch_id = %(batch_id)s::bigint)
    returning batch_id, dataset
),

released as (
    delete from ops.quarantine as aside
    using unchecked
    where
        aside.batch_id = unchecked.batch_id
        and not exists (
            select 1 from pii.quarantined_row as received
            where received.quarantine_id = aside.quarantine_id
        )
)

select
    batch_id,
    dataset
from unchecked
order by batch_id
