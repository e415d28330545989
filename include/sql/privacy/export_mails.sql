-- In: account, order_id. Out: mail about the order or of its tickets, with its words. Personal data.
with tickets as (
    select * from mart.ticket
    where account = %(account)s and order_id = %(order_id)s
),

keys as (
    select
        account,
        ticket_key
    from tickets
    union
    select
        merged.account,
        merged.ticket_key
    from tickets
    inner join mart.ticket_merged as merged
        on tickets.account = merged.account and tickets.ticket_key = merged.into_key
),

mails as (
    select mail.* from core.mail as mail
    inner join keys on mail.account = keys.account and mail.ticket_key = keys.ticket_key
    union
    select * from core.mail
    where account = %(account)s and order_ids[1] = %(order_id)s
)

select
    mails.sent_at,
    mails.kind,
    mails.direction,
    mails.mailbox,
    words.subject,
    words.buyer_name,
    words.buyer_alias,
    words.body,
    words.attachments,
    mails.archived_as,
    mails.batch_id is null as is_removed
from mails
left join pii.mail as words on mails.account = words.account and mails.mail_id = words.mail_id
order by mails.sent_at, mails.mail_id
