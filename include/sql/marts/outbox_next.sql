-- In: at; ops.outbox. Out: the next message that may be sent then, locked; one that another deliverer holds
-- is passed over, and so is one whose recipient still waits for an earlier one.
select
    message.outbox_id,
    message.kind,
    message.recipient,
    message.subject,
    message.html,
    message.plain,
    message.message_id,
    message.attempts
from ops.outbox as message
where
    message.sent_at is null
    and message.dead_at is null
    and message.available_at <= %(at)s::timestamptz
    and not exists (
        select 1 from ops.outbox as earlier
        where
            earlier.recipient = message.recipient
            and earlier.outbox_id < message.outbox_id
            and earlier.sent_at is null
            and earlier.dead_at is null
    )
order by message.outbox_id
limit 1
for update of message skip locked
