-- In: settled_before, written_before, removed_at. Out: messages to staff that were sent, cancelled or given up
-- before then are empty, and those that have waited so long, too, and are cancelled; returns how many.
with emptied as (
    update pii.outbox
    set
        html = '',
        plain = '',
        attachments = '[]',
        emptied_at = %(removed_at)s::timestamptz,
        cancelled_at = case when state = 'waiting' then %(removed_at)s::timestamptz else cancelled_at end
    where
        emptied_at is null
        and (
            coalesce(sent_at, cancelled_at, dead_at) <= %(settled_before)s::timestamptz
            or written_at <= %(written_before)s::timestamptz
        )
    returning 1
)

select count(*) as entries from emptied
