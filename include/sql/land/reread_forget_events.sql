-- In: batches of mail. Out: the ticket events of their mail are gone, to be derived anew.
delete from core.ticket_event as event
using core.mail as filed
where
    filed.batch_id = any(%(batch_ids)s::bigint[])
    and event.account = filed.account
    and event.source = 'mail'
    and event.source_id in (filed.mail_id, 'merge:' || filed.mail_id)
