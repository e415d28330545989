-- In: account, mail_id. Out: the ticket that the mail belongs to (null: it is only filed), and its marketplace.
select
    ticket_key,
    marketplace
from core.mail
where account = %(account)s and mail_id = %(mail_id)s
