-- In: batch_event, batch_transition. Out: temporary table batch_order_change: of tickets to which agents attached or
-- detached orders, the order that was attached last, else the first that was told; none that was detached since. What
-- only a mail says after an order was detached attaches it no more.
create temporary table batch_order_change on commit drop as
with changed as (
    select distinct ticket_no from batch_event
    where kind in ('attach_order', 'detach_order')
),

events as (
    select
        batch_event.ticket_no,
        transition.generation,
        batch_event.position,
        batch_event.kind,
        coalesce(batch_event.order_id, batch_event.changed_order_id) as order_id,
        batch_event.order_match
    from batch_event
    inner join changed on batch_event.ticket_no = changed.ticket_no
    inner join batch_transition as transition
        on batch_event.ticket_no = transition.ticket_no and batch_event.position = transition.position
    where not transition.is_void
),

named as (
    select
        *,
        max(position) filter (where kind = 'detach_order') over (
            partition by ticket_no, generation, order_id
        ) as detached
    from events
    where order_id is not null
),

left_over as (
    select
        ticket_no,
        generation,
        order_id,
        case kind when 'attach_order' then 'manual' else order_match end as order_match,
        row_number() over (
            partition by ticket_no, generation
            order by kind = 'attach_order' desc, case kind when 'attach_order' then -position else position end
        ) as place
    from named
    where kind <> 'detach_order' and (detached is null or (kind = 'attach_order' and position > detached))
),

tickets as (
    select distinct
        ticket_no,
        generation
    from events
)

select
    tickets.ticket_no,
    tickets.generation,
    left_over.order_id,
    coalesce(left_over.order_match, 'none') as order_match
from tickets
left join left_over
    on
        tickets.ticket_no = left_over.ticket_no
        and tickets.generation = left_over.generation
        and left_over.place = 1
