-- In: as_of, messages_kept; tickets, their status periods and events. Out: temporary table privacy_held: tickets that
-- are in work as of then or at any later time, or wait to be folded, and whose last message is not old enough; one row
-- for each order that they are about (null: none). So an instant of the past never removes what is needed today.
create temporary table privacy_held as
with in_work as (
    select
        account,
        ticket_key
    from mart.ticket_status
    where status in ('new', 'open', 'pending', 'on_hold') and until_at > %(as_of)s::timestamptz
    union
    select
        touched.account,
        coalesce(merged.into_key, touched.ticket_key) as ticket_key
    from ops.ticket_touched as touched
    left join mart.ticket_merged as merged
        on touched.account = merged.account and touched.ticket_key = merged.ticket_key
),

talks as (
    select
        in_work.account,
        in_work.ticket_key,
        event.order_id,
        max(event.occurred_at) filter (where event.kind in ('buyer_message', 'reply', 'notice', 'delivery_failure'))
            over (partition by in_work.account, in_work.ticket_key) as last_at
    from in_work
    inner join mart.ticket_event as event
        on in_work.account = event.account and in_work.ticket_key = event.ticket_key
)

select distinct
    account,
    ticket_key,
    order_id
from talks
where last_at + %(messages_kept)s::interval > %(as_of)s::timestamptz
