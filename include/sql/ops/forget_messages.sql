-- In: kept_from, together. Out: of the messages to staff so many that were written before then and emptied since are
-- gone, the oldest first; returns how many.
with old as (
    select outbox_id from pii.outbox
    where
        written_at < %(kept_from)s::timestamptz
        and emptied_at is not null
        and state <> 'waiting'
    order by written_at
    limit %(together)s
),

gone as (
    delete from pii.outbox as message
    using old
    where message.outbox_id = old.outbox_id
    returning 1
)

select count(*) as entries from gone
