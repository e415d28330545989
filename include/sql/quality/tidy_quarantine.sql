-- In: before. Out: what was settled before then, in batches that were published or given up, is gone from quarantine,
-- with what was received of it; returns how many entries. Entries that wait stay, and those of batches that may still
-- be published: they keep their rows out.
with settled as (
    delete from ops.quarantine as aside
    using ops.batch as landed
    where
        aside.batch_id = landed.batch_id
        and aside.settled_at < %(before)s::timestamptz
        and (landed.published_at is not null or landed.discarded_at is not null)
    returning aside.quarantine_id
),

received as (
    delete from pii.quarantined_row as content
    using settled
    where content.quarantine_id = settled.quarantine_id
)

select count(*) as entries from settled
