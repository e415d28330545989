-- In: a batch, a rule (null: any). Out: its rows in quarantine that wait, locked for this transaction, with the line as
-- received where it could not be landed; rows that another retry holds are left to it.
with wanted as (
    select quarantine_id from ops.quarantine
    where
        settled_at is null
        and batch_id = %(batch_id)s::bigint
        and (%(rule)s::text is null or rule = %(rule)s::text)
)

select
    aside.quarantine_id,
    aside.row_key,
    received.content
from ops.quarantine as aside
inner join wanted on aside.quarantine_id = wanted.quarantine_id
left join pii.quarantined_row as received on aside.quarantine_id = received.quarantine_id
order by aside.quarantine_id
for update of aside skip locked
