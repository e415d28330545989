-- In: outbox_id; pii.outbox. Out: that message.
select
    outbox_id,
    kind,
    channel,
    recipient,
    subject,
    plain,
    message_id,
    state,
    attempts,
    written_at,
    available_at,
    last_error,
    sent_at,
    dead_at,
    cancelled_at,
    emptied_at
from pii.outbox
where outbox_id = %(outbox_id)s::bigint
