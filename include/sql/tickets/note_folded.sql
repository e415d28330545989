-- In: batch_key. Out: ops.compliance_touched has these keys: what they count for in compliance may have changed.
insert into ops.compliance_touched (account, ticket_key)
select
    account,
    ticket_key
from batch_key
order by account, ticket_key
on conflict (account, ticket_key) do nothing
