-- In: outbox_id, what became of the attempt. Out: pii.outbox.
update pii.outbox
set
    attempts = attempts + 1,
    sent_at = %(sent_at)s::timestamptz,
    dead_at = %(dead_at)s::timestamptz,
    available_at = %(available_at)s::timestamptz,
    last_error = %(last_error)s::text
where outbox_id = %(outbox_id)s::bigint
