-- In: mail that came first with the batches, and its ticket events. Out: core.mail names the ticket.
update core.mail as filed
set ticket_key = event.ticket_key
from core.ticket_event as event
where
    (filed.batch_id = any(%(batch_ids)s::bigint[]) or (filed.kind = 'reply_copy' and filed.ticket_key is null))
    and event.account = filed.account
    and event.source = 'mail'
    and event.source_id = filed.mail_id
