-- In: rows of the batches whose ticket is known. Out: ops.ticket_touched has these tickets.
insert into ops.ticket_touched (account, ticket_key)
with actions as (
    select * from raw.desk_action
    where batch_id = any(%(batch_ids)s::bigint[]) and ticket_key is not null
)

select distinct
    account,
    ticket_key
from actions
order by account, ticket_key
on conflict (account, ticket_key) do nothing
