-- In: batch_ticket, batch_event, batch_transition. Out: mart.ticket, one row a generation. What a ticket is
-- about is the first thing its events say; void events are counted but say nothing.
insert into mart.ticket (
    account,
    ticket_id,
    ticket_key,
    generation,
    follow_up_of,
    marketplace,
    ticket_type,
    order_id,
    case_id,
    buyer_ref,
    created_at,
    last_event_at,
    event_count
)
with events as (
    select
        batch_event.*,
        transition.generation,
        transition.is_void
    from batch_event
    inner join batch_transition as transition
        on batch_event.ticket_no = transition.ticket_no and batch_event.position = transition.position
),

told as (
    select
        ticket_no,
        generation,
        array_agg(marketplace order by position) filter (where not is_void and marketplace is not null)
            as marketplaces,
        array_agg(ticket_type order by position) filter (where not is_void and ticket_type is not null)
            as ticket_types,
        array_agg(order_id order by position) filter (where not is_void and order_id is not null)
            as order_ids,
        array_agg(case_id order by position) filter (where not is_void and case_id is not null)
            as case_ids,
        array_agg(buyer_ref order by position) filter (where not is_void and buyer_ref is not null)
            as buyer_refs,
        min(occurred_at) as created_at,
        max(occurred_at) as last_event_at,
        count(*) as event_count
    from events
    group by ticket_no, generation
),

named as (
    select
        told.*,
        batch_ticket.account,
        batch_ticket.ticket_key,
        batch_ticket.ticket_key || case when told.generation > 1 then '#' || told.generation else '' end
            as ticket_id
    from told
    inner join batch_ticket on told.ticket_no = batch_ticket.ticket_no
),

tickets as (
    select
        account,
        ticket_id,
        ticket_key,
        generation,
        lag(ticket_id) over (partition by ticket_no order by generation) as follow_up_of,
        marketplaces[1] as marketplace,
        coalesce(ticket_types[1], 'other_query') as ticket_type,
        order_ids[1] as order_id,
        case_ids[1] as case_id,
        buyer_refs[1] as buyer_ref,
        created_at,
        last_event_at,
        event_count
    from named
)

select * from tickets
order by account, ticket_id
