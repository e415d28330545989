-- In: account, dataset, rule, batch_id (each null: any), why, when. Out: rows in quarantine that waited are settled,
-- the lines as received are gone. Returns how many rows.
with discarded as (
    update ops.quarantine
    set
        settled_at = %(settled_at)s::timestamptz,
        settled_as = 'discarded',
        settled_because = %(because)s::text
    where
        settled_at is null
        and (%(account)s::text is null or account = %(account)s::text)
        and (%(dataset)s::text is null or dataset = %(dataset)s::text)
        and (%(rule)s::text is null or rule = %(rule)s::text)
        and (%(batch_id)s::bigint is null or batch_id = %(batch_id)s::bigint)
    returning quarantine_id
),

forgotten as (
    delete from pii.quarantined_row as received
    using discarded
    where received.quarantine_id = discarded.quarantine_id
)

select count(*) as rows from discarded
