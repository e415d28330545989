-- In: states, at, after (a number), most; pii.outbox. Out: messages in those states and newer than that one, in the
-- order in which they are sent; is_due: whether it might go out at that instant if its recipient waits for no earlier
-- one.
select
    outbox_id,
    kind,
    channel,
    recipient,
    subject,
    state,
    attempts,
    available_at,
    last_error,
    coalesce(sent_at, cancelled_at, dead_at) as settled_at,
    state = 'waiting' and available_at <= %(at)s::timestamptz as is_due
from pii.outbox
where
    state = any(%(states)s::text[])
    and outbox_id > %(after)s::bigint
order by outbox_id
limit %(most)s::integer
