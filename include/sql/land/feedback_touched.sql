-- In: feedback that the batches changed, and its events. Out: ops.ticket_touched has every ticket that it belongs to.
insert into ops.ticket_touched (account, ticket_key)
with changed as (
    select
        account,
        order_id
    from core.feedback_change
    where batch_id = any(%(batch_ids)s::bigint[])
)

select distinct
    event.account,
    event.ticket_key
from changed
inner join core.ticket_event as event
    on changed.account = event.account and changed.order_id = event.order_id
where event.source = 'feedback'
order by event.account, event.ticket_key
on conflict (account, ticket_key) do nothing
