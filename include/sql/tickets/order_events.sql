-- In: batch_key, core.ticket_event. Out: temporary table batch_event, the tickets' events, numbered from 1
-- in the one order that counts: by instant, then source order, then source and source id. When an event came
-- to us plays no part. `move` is what the event does to the status; null: nothing.
create temporary table batch_event on commit drop as
with events as (
    select
        batch_key.ticket_no,
        event.*
    from batch_key
    inner join core.ticket_event as event
        on batch_key.account = event.account and batch_key.ticket_key = event.ticket_key
),

ordered as (
    select
        ticket_no,
        row_number() over (
            partition by ticket_no
            order by occurred_at, source_order, source collate "C", source_id collate "C"
        ) as position,
        occurred_at,
        kind,
        case
            when kind in ('reply', 'buyer_message') and is_automatic then null
            when kind in ('note', 'change_type', 'attach_order', 'detach_order', 'merge', 'unmerge') then null
            when kind in ('decide_mail', 'black_list', 'black_list_end') then null
            when kind in ('notice', 'follow_up') then 'buyer_message'
            when kind = 'no_response_needed' then 'solve'
            else kind
        end as move,
        source,
        source_id,
        actor,
        detail ->> 'reply' as failed_reply,
        case kind
            when 'change_type' then null
            when 'buyer_message' then coalesce(ticket_type, 'contact_buyer')
            else ticket_type
        end as ticket_type,
        case kind when 'change_type' then ticket_type end as new_type,
        marketplace,
        case when kind not in ('attach_order', 'detach_order') then order_id end as order_id,
        case when kind in ('attach_order', 'detach_order') then order_id end as changed_order_id,
        coalesce(detail ->> 'match', 'explicit') as order_match,
        case_id,
        buyer_ref
    from events
)

select * from ordered
order by ticket_no, position
