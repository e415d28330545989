-- In: since. Out: mail since then that only pretends to be Amazon's, the newest first. Personal data.
select
    mail.account,
    mail.mail_id,
    mail.received_at,
    mail.mailbox || '/' || mail.folder as place,
    words.subject
from core.mail as mail
left join pii.mail as words on mail.account = words.account and mail.mail_id = words.mail_id
where mail.kind = 'imitation' and mail.received_at >= %(since)s::timestamptz
order by mail.received_at desc
limit 50
