-- In: account, ids of mails. Out: what people wrote in them. Personal data.
select
    mail_id,
    body
from pii.mail
where account = %(account)s and mail_id = any(%(mail_ids)s::text[])
