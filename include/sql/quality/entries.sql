-- In: account, dataset, rule, batch_id (each null: any); whether settled rows count; how many at most. Out: rows of
-- quarantine, the newest first, with the row as received where it could not be landed (personal data).
with asides as (
    select * from ops.quarantine
    where
        (%(with_settled)s::boolean or settled_at is null)
        and (%(account)s::text is null or account = %(account)s::text)
        and (%(dataset)s::text is null or dataset = %(dataset)s::text)
        and (%(rule)s::text is null or rule = %(rule)s::text)
        and (%(batch_id)s::bigint is null or batch_id = %(batch_id)s::bigint)
    order by quarantine_id desc
    limit %(most)s::integer
)

select
    asides.quarantine_id,
    asides.account,
    asides.dataset,
    asides.batch_id,
    asides.row_key,
    asides.rule,
    asides.value,
    asides.reason,
    asides.set_aside_at,
    asides.settled_at,
    asides.settled_as,
    asides.settled_because,
    asides.retry_batch_id,
    received.content
from asides
left join pii.quarantined_row as received on asides.quarantine_id = received.quarantine_id
order by asides.quarantine_id desc
