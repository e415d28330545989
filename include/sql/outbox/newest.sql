-- In: pii.outbox. Out: number of the newest message; 0 without any.
select coalesce(max(outbox_id), 0) as outbox_id from pii.outbox
