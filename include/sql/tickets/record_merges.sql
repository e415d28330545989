-- In: batch_merged. Out: mart.ticket_merged has them.
insert into mart.ticket_merged (account, ticket_key, into_key)
select
    account,
    ticket_key,
    into_key
from batch_merged
order by account, ticket_key
