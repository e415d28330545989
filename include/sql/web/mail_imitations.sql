-- In: since. Out: mail since then that only pretends to be Amazon's, the newest first. Personal data.
with imitations as (
    select * from core.mail
    where kind = 'imitation' and received_at >= %(since)s::timestamptz
)

select
    imitations.account,
    imitations.mail_id,
    imitations.received_at,
    imitations.mailbox || '/' || imitations.folder as place,
    words.subject
from imitations
left join pii.mail as words on imitations.account = words.account and imitations.mail_id = words.mail_id
order by imitations.received_at desc
limit 50
