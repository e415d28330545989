-- In: account, ids of mails. Out: what each says and who wrote it. Personal data.
with mails as (
    select * from core.mail
    where account = %(account)s and mail_id = any(%(mail_ids)s::text[])
)

select
    mails.mail_id,
    mails.kind,
    mails.direction,
    mails.language,
    mails.sent_at,
    mails.attachment_count,
    words.subject,
    words.buyer_name,
    words.body
from mails
inner join pii.mail as words on mails.account = words.account and mails.mail_id = words.mail_id
