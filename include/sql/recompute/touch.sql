-- In: recomputed. Out: ops.ticket_touched has these tickets.
insert into ops.ticket_touched (account, ticket_key)
select
    account,
    ticket_key
from recomputed
order by account, ticket_key
on conflict (account, ticket_key) do nothing
