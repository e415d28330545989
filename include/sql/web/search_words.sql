-- In: accounts, asked. Out: tickets of mails that hold all of these words in subject, name or text (as search engines
-- take them: "quoted", or, -not), the newest mails first. Looks into personal data.
with found as (
    select
        account,
        mail_id
    from pii.mail
    where
        account = any(%(accounts)s::text[])
        and to_tsvector('simple', coalesce(subject, '') || ' ' || coalesce(buyer_name, '') || ' ' || coalesce(body, ''))
        @@ websearch_to_tsquery('simple', %(asked)s)
    order by mail_id
    limit 2000
)

select
    ticket.account,
    ticket.ticket_id
from found
inner join core.mail as mail on found.account = mail.account and found.mail_id = mail.mail_id
inner join mart.ticket as ticket on mail.account = ticket.account and mail.ticket_key = ticket.ticket_key
group by ticket.account, ticket.ticket_id
order by max(mail.sent_at) desc
limit 200
