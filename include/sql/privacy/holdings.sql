-- In: nothing but the tables with personal data. Out: of each, how many rows hold any, since when the oldest of them.
select
    'order contacts' as what,
    'pii.order_contact' as place,
    count(*) as rows,
    min(placed.ordered_at) as oldest
from pii.order_contact as contact
left join core.amazon_order as placed on contact.account = placed.account and contact.order_id = placed.order_id
where contact.removed_at is null
union all
select
    'orders as received' as what,
    'pii.order_received' as place,
    count(*) as rows,
    min(batch.landed_at) as oldest
from pii.order_received as landed
inner join ops.batch as batch on landed.batch_id = batch.batch_id
union all
select
    'mail' as what,
    'pii.mail' as place,
    count(*) as rows,
    min(mail.received_at) as oldest
from pii.mail as words
inner join core.mail as mail on words.account = mail.account and words.mail_id = mail.mail_id
union all
select
    'mail as understood' as what,
    'pii.mail_received' as place,
    count(*) as rows,
    min(received_at) as oldest
from pii.mail_received
where meaning is not null
union all
select
    'files still in the archive' as what,
    'archive' as place,
    count(*) as rows,
    min(removed_at) as oldest
from ops.removal
where archived_as <> '{}' and files_removed_at is null
union all
select
    'feedback' as what,
    'pii.feedback' as place,
    count(*) as rows,
    min(rated.first_seen_at) as oldest
from pii.feedback as words
inner join core.feedback as rated on words.account = rated.account and words.order_id = rated.order_id
union all
select
    'feedback as received' as what,
    'pii.feedback_received' as place,
    count(*) as rows,
    min(batch.landed_at) as oldest
from pii.feedback_received as landed
inner join ops.batch as batch on landed.batch_id = batch.batch_id
union all
select
    'notes' as what,
    'pii.ticket_event_text' as place,
    count(*) as rows,
    min(event.occurred_at) as oldest
from pii.ticket_event_text as words
inner join core.ticket_event as event
    on words.account = event.account and words.source = event.source and words.source_id = event.source_id
union all
select
    'desks'' actions as received' as what,
    'pii.desk_action' as place,
    count(*) as rows,
    min(batch.landed_at) as oldest
from pii.desk_action as landed
inner join ops.batch as batch on landed.batch_id = batch.batch_id
union all
select
    'lines set aside' as what,
    'pii.quarantined_row' as place,
    count(*) as rows,
    min(aside.set_aside_at) as oldest
from pii.quarantined_row as content
inner join ops.quarantine as aside on content.quarantine_id = aside.quarantine_id
union all
select
    'messages to staff' as what,
    'pii.outbox' as place,
    count(*) as rows,
    min(written_at) as oldest
from pii.outbox
where emptied_at is null
union all
select
    'access log' as what,
    'ops.personal_data_view' as place,
    count(*) as rows,
    min(seen_at) as oldest
from ops.personal_data_view
