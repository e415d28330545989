-- In: batch_ticket, batch_event, batch_transition, batch_type_change, batch_order_change. Out: mart.ticket, one row a
-- generation. What a ticket is about is the first thing its events say, unless an agent says otherwise; void events are
-- counted but say nothing.
insert into mart.ticket (
    account,
    ticket_id,
    ticket_key,
    generation,
    follow_up_of,
    marketplace,
    ticket_type,
    order_id,
    order_match,
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
        array_agg(order_match order by position) filter (where not is_void and order_id is not null)
            as order_matches,
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

changed_types as (
    select distinct on (ticket_no, generation)
        ticket_no,
        generation,
        new_type
    from batch_type_change
    where reason is null
    order by ticket_no asc, generation asc, position desc
),

named as (
    select
        told.*,
        changed_types.new_type,
        changed.ticket_no is not null as is_order_changed,
        changed.order_id as changed_order_id,
        changed.order_match as changed_order_match,
        batch_ticket.account,
        batch_ticket.ticket_key,
        batch_ticket.ticket_key || case when told.generation > 1 then '#' || told.generation else '' end
            as ticket_id
    from told
    inner join batch_ticket on told.ticket_no = batch_ticket.ticket_no
    left join changed_types
        on told.ticket_no = changed_types.ticket_no and told.generation = changed_types.generation
    left join batch_order_change as changed
        on told.ticket_no = changed.ticket_no and told.generation = changed.generation
),

tickets as (
    select
        account,
        ticket_id,
        ticket_key,
        generation,
        lag(ticket_id) over (partition by ticket_no order by generation) as follow_up_of,
        marketplaces[1] as marketplace,
        coalesce(new_type, ticket_types[1], 'other_query') as ticket_type,
        case when is_order_changed then changed_order_id else order_ids[1] end as order_id,
        case when is_order_changed then changed_order_match else coalesce(order_matches[1], 'none') end as order_match,
        case_ids[1] as case_id,
        buyer_refs[1] as buyer_ref,
        created_at,
        last_event_at,
        event_count
    from named
)

select * from tickets
order by account, ticket_id
