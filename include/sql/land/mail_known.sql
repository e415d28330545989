-- In: accounts, mail_ids (of the same length). Out: those of them that are landed.
select distinct
    received.account,
    received.mail_id
from unnest(%(accounts)s::text[], %(mail_ids)s::text[]) as asked (account, mail_id)
inner join pii.mail_received as received
    on asked.account = received.account and asked.mail_id = received.mail_id
