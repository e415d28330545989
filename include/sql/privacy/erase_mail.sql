-- In: account, aliases, buyer_refs of one buyer; privacy_due_order, privacy_due_ticket. Out: temporary table
-- privacy_due_mail: mail from or to the buyer, of these tickets, or about these orders, whether it became a fact or
-- not.
create temporary table privacy_due_mail as
with mails as (
    select mail_id from core.mail
    where account = %(account)s and batch_id is not null and buyer_ref = any(%(buyer_refs)s::text[])
    union
    select mail_id from pii.mail
    where account = %(account)s and buyer_alias = any(%(aliases)s::text[])
    union
    select mail.mail_id
    from core.mail as mail
    left join mart.ticket_merged as merged
        on mail.account = merged.account and mail.ticket_key = merged.ticket_key
    inner join privacy_due_ticket as due
        on mail.account = due.account and coalesce(merged.into_key, mail.ticket_key) = due.ticket_key
    where mail.batch_id is not null
    union
    select mail.mail_id
    from core.mail as mail
    inner join privacy_due_order as due on mail.account = due.account and mail.order_ids[1] = due.order_id
    where mail.batch_id is not null
    union
    select mail_id from pii.mail_received
    where
        account = %(account)s
        and (
            meaning ->> 'buyer_ref' = any(%(buyer_refs)s::text[])
            or meaning #>> '{order_ids, 0}' in (select due.order_id from privacy_due_order as due)
        )
)

select
    row_number() over (order by mail_id) as number,
    %(account)s::text as account,
    mail_id
from mails
