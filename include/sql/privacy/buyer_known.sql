-- In: account, order_ids, aliases, buyer_refs. Out: by which aliases (personal data) and keyed hashes the buyer of
-- these is known: of the orders themselves, of what was written about them, and of what these name in turn.
with mails as (
    select * from core.mail
    where
        account = %(account)s
        and (buyer_ref = any(%(buyer_refs)s::text[]) or order_ids[1] = any(%(order_ids)s::text[]))
)

select
    buyer_alias,
    buyer_ref
from pii.order_contact
where
    account = %(account)s
    and (
        order_id = any(%(order_ids)s::text[])
        or buyer_alias = any(%(aliases)s::text[])
        or buyer_ref = any(%(buyer_refs)s::text[])
    )
union
select
    words.buyer_alias,
    mails.buyer_ref
from mails
left join pii.mail as words on mails.account = words.account and mails.mail_id = words.mail_id
union
select
    null as buyer_alias,
    buyer_ref
from mart.ticket
where account = %(account)s and order_id = any(%(order_ids)s::text[])
