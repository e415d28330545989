-- In: states, at; ops.outbox. Out: messages in those states, in the order in which they are sent; due: whether it
-- might go out at that instant if its recipient waits for no earlier one.
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
from ops.outbox
where state = any(%(states)s::text[])
order by outbox_id
limit %(most)s::integer
