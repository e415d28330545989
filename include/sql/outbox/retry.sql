-- In: at, outbox_ids (none: all that are dead). Out: pii.outbox: they wait again, as if never tried. What was sent,
-- waits, or was emptied since (retention.yaml), is left alone.
update pii.outbox
set
    attempts = 0,
    available_at = %(at)s::timestamptz,
    dead_at = null,
    cancelled_at = null
where
    emptied_at is null
    and (
        (state = 'dead' and cardinality(%(outbox_ids)s::bigint[]) = 0)
        or (state in ('dead', 'cancelled') and outbox_id = any(%(outbox_ids)s::bigint[]))
    )
