-- In: at, channels; pii.outbox, ops.sending_hold. Out: the next message of these channels that may be sent then,
-- locked; one that another deliverer holds is passed over, and so is one whose recipient still waits for an earlier
-- one. Nothing while all sending is held.
select
    message.outbox_id,
    message.kind,
    message.channel,
    message.recipient,
    message.subject,
    message.html,
    message.plain,
    message.message_id,
    message.attempts,
    message.attachments
from pii.outbox as message
where
    message.state = 'waiting'
    and message.channel = any(%(channels)s::text[])
    and message.available_at <= %(at)s::timestamptz
    and not exists (
        select 1 from pii.outbox as earlier
        where
            earlier.channel = message.channel
            and earlier.recipient = message.recipient
            and earlier.outbox_id < message.outbox_id
            and earlier.state = 'waiting'
    )
    and not exists (
        select 1 from ops.sending_hold as hold
        where hold.lifted_at is null
    )
order by message.outbox_id
limit 1
for update of message skip locked
