-- In: accounts and mail_ids (of one length). Out: whose those mails are and how they begin. Personal data.
with named as (
    select
        given.account,
        given.mail_id
    from unnest(%(accounts)s::text[], %(mail_ids)s::text[]) as given (account, mail_id)
)

select
    words.account,
    words.mail_id,
    words.subject,
    left(words.body, 1500) as body,
    received.meaning ->> 'sender' as sender
from named
inner join core.mail as filed on named.account = filed.account and named.mail_id = filed.mail_id
inner join pii.mail as words on filed.account = words.account and filed.mail_id = words.mail_id
left join pii.mail_received as received
    on
        filed.account = received.account
        and filed.mail_id = received.mail_id
        and filed.batch_id = received.batch_id
