-- In: mail that came first with the batches (core.mail), as landed. Out: pii.mail: its people and words.
insert into pii.mail (
    account,
    mail_id,
    message_id,
    in_reply_to,
    subject,
    buyer_name,
    buyer_name_key,
    buyer_alias,
    body,
    no_response_link,
    attachments
)
with new_mail as (
    select * from core.mail
    where batch_id = any(%(batch_ids)s::bigint[])
),

received as (
    select r.* from pii.mail_received as r
    inner join new_mail
        on r.account = new_mail.account and r.mail_id = new_mail.mail_id and r.batch_id = new_mail.batch_id
)

select
    account,
    mail_id,
    meaning ->> 'message_id' as message_id,
    meaning ->> 'in_reply_to' as in_reply_to,
    meaning ->> 'subject' as subject,
    meaning ->> 'buyer_name' as buyer_name,
    meaning ->> 'buyer_name_key' as buyer_name_key,
    meaning ->> 'buyer_alias' as buyer_alias,
    meaning ->> 'text' as body,
    meaning ->> 'no_response_link' as no_response_link,
    coalesce(nullif(meaning -> 'attachments', 'null'), '[]') as attachments
from received
on conflict (account, mail_id) do nothing
