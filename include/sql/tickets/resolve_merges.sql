-- In: batch_claim, merge and unmerge events. Out: temporary table batch_merged: claimed keys whose events belong to
-- another key's ticket. Of keys that are one ticket, the one whose events began first gives its name.
create temporary table batch_merged on commit drop as
with recursive said as (
    select
        event.account,
        event.ticket_key,
        event.detail ->> 'into' as other_key,
        event.kind,
        row_number() over (
            partition by event.account, event.ticket_key, event.detail ->> 'into'
            order by event.occurred_at desc, event.source_order desc, event.source desc, event.source_id desc
        ) as recency
    from core.ticket_event as event
    inner join batch_claim on event.account = batch_claim.account and event.ticket_key = batch_claim.ticket_key
    where event.kind in ('merge', 'unmerge') and event.detail ? 'into'
),

pairs as (
    select * from said
    where recency = 1 and kind = 'merge'
),

links as (
    select
        account,
        ticket_key,
        other_key
    from pairs
    union
    select
        account,
        other_key as ticket_key,
        ticket_key as other_key
    from pairs
),

reached as (
    select
        account,
        ticket_key,
        ticket_key as member_key
    from links
    union
    select
        reached.account,
        reached.ticket_key,
        links.other_key as member_key
    from reached
    inner join links on reached.account = links.account and reached.member_key = links.ticket_key
),

begun as (
    select
        reached.account,
        reached.ticket_key,
        reached.member_key,
        min(event.occurred_at) as first_at
    from reached
    left join core.ticket_event as event
        on reached.account = event.account and reached.member_key = event.ticket_key
    group by reached.account, reached.ticket_key, reached.member_key
),

named as (
    select
        account,
        ticket_key,
        member_key,
        row_number() over (
            partition by account, ticket_key order by first_at asc nulls last, member_key collate "C" asc
        ) as age_rank
    from begun
)

select
    account,
    ticket_key,
    member_key as into_key
from named
where age_rank = 1 and member_key <> ticket_key
