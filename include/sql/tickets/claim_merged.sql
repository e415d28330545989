-- In: batch_claim, merge events, mart.ticket_merged. Out: batch_claim also has the keys that are, or were until now,
-- one ticket with those.
insert into batch_claim (account, ticket_key)
with recursive pairs as (
    select
        account,
        ticket_key,
        detail ->> 'into' as other_key
    from core.ticket_event
    where kind in ('merge', 'unmerge') and detail ? 'into'
    union all
    select
        account,
        ticket_key,
        into_key as other_key
    from mart.ticket_merged
),

links as (
    select * from pairs
    union
    select
        account,
        other_key as ticket_key,
        ticket_key as other_key
    from pairs
),

reached as (
    select
        links.account,
        links.other_key as ticket_key
    from links
    inner join batch_claim on links.account = batch_claim.account and links.ticket_key = batch_claim.ticket_key
    union
    select
        links.account,
        links.other_key as ticket_key
    from reached
    inner join links on reached.account = links.account and reached.ticket_key = links.ticket_key
)

select
    account,
    ticket_key
from reached
except
select
    account,
    ticket_key
from batch_claim
