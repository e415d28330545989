-- In: at, outbox_ids. Out: pii.outbox: they are not sent any more. What was sent is left alone; one that is being
-- sent is waited for.
update pii.outbox
set cancelled_at = %(at)s::timestamptz
where state in ('waiting', 'dead') and outbox_id = any(%(outbox_ids)s::bigint[])
