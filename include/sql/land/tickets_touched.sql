-- In: mail that came first with the batches. Out: ops.ticket_touched has every ticket that it belongs to.
insert into ops.ticket_touched (account, ticket_key)
with new_mail as (
    select * from core.mail
    where batch_id = any(%(batch_ids)s::bigint[]) and ticket_key is not null
)

select distinct
    account,
    ticket_key
from new_mail
order by account, ticket_key
on conflict (account, ticket_key) do nothing
