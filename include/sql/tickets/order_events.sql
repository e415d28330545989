-- In: batch_ticket, core.ticket_event. Out: temporary table batch_event, the tickets' events, numbered from 1
-- in the one order that counts: by instant, then source order, then source and source id. When an event came
-- to us plays no part. `move` is what the event does to the status; null: nothing.
create temporary table batch_event on commit drop as
with events as (
    select
        batch_ticket.ticket_no,
        event.*
    from batch_ticket
    inner join core.ticket_event as event
        on batch_ticket.account = event.account and batch_ticket.ticket_key = event.ticket_key
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
            when kind = 'note' then null
            when kind = 'notice' then 'buyer_message'
            when kind = 'no_response_needed' then 'solve'
            else kind
        end as move,
        source_id,
        detail ->> 'reply' as failed_reply,
        coalesce(ticket_type, case kind when 'buyer_message' then 'contact_buyer' end) as ticket_type,
        marketplace,
        order_id,
        case_id,
        buyer_ref
    from events
)

select * from ordered
order by ticket_no, position
