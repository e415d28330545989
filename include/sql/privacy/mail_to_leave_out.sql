-- In: accounts, mail_ids (side by side); ops.removal. Out: those that were removed.
select distinct
    asked.account,
    asked.mail_id
from unnest(%(accounts)s::text[], %(mail_ids)s::text[]) as asked (account, mail_id)
where
    exists (
        select 1 from ops.removal as removal
        where removal.account = asked.account and removal.kind = 'mail' and removal.key = asked.mail_id
    )
