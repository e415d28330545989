-- In: accounts, asked. Out: tickets of the buyer with that alias, by what the buyer wrote or ordered. Looks into
-- personal data.
with written as (
    select
        account,
        mail_id
    from pii.mail
    where account = any(%(accounts)s::text[]) and buyer_alias = lower(%(asked)s)
),

ordered as (
    select
        account,
        order_id
    from pii.order_contact
    where account = any(%(accounts)s::text[]) and buyer_alias = lower(%(asked)s)
)

select
    ticket.account,
    ticket.ticket_id
from written
inner join core.mail as mail on written.account = mail.account and written.mail_id = mail.mail_id
inner join mart.ticket as ticket on mail.account = ticket.account and mail.ticket_key = ticket.ticket_key
union
select
    ticket.account,
    ticket.ticket_id
from ordered
inner join mart.ticket as ticket on ordered.account = ticket.account and ordered.order_id = ticket.order_id
limit 200
