-- In: account, ids of mails. Out: what people wrote in them, or since when it is removed. Personal data.
select
    mail_id,
    body
from pii.mail
where account = %(account)s and mail_id = any(%(mail_ids)s::text[])
union all
select
    key as mail_id,
    '(removed ' || to_char(min(removed_at) at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC)"') as body
from ops.removal
where account = %(account)s and kind = 'mail' and key = any(%(mail_ids)s::text[])
group by key
