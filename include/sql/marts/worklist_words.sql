-- In: accounts and ticket_ids (side by side), as_of, most (letters); tickets, their events, pii.mail. Out: the
-- beginning of what each ticket's buyer wrote last until then; is_removed: it was, and words are null. Personal data.
with asked as (
    select
        one.account,
        one.ticket_id,
        %(most)s::integer as most
    from unnest(%(accounts)s::text[], %(ticket_ids)s::text[]) as one (account, ticket_id)
),

messages as (
    select * from mart.ticket_event
    where source = 'mail' and kind = 'buyer_message' and occurred_at <= %(as_of)s::timestamptz
)

select distinct on (asked.account, asked.ticket_id)
    asked.account,
    asked.ticket_id,
    left(mail.body, asked.most) as words,
    mail.mail_id is null as is_removed
from asked
inner join mart.ticket as ticket on asked.account = ticket.account and asked.ticket_id = ticket.ticket_id
inner join messages as event on ticket.account = event.account and ticket.ticket_key = event.ticket_key
left join pii.mail as mail on event.account = mail.account and event.source_id = mail.mail_id
order by asked.account asc, asked.ticket_id asc, event.occurred_at desc, event.source_order desc, event.source_id desc
