-- In: batch_event, batch_transition, core.ticket_type. Out: temporary table batch_type_change: each time an agent
-- changed a type, and why it was refused, if it was. A fixed type stays, also one that an agent gave.
create temporary table batch_type_change on commit drop as
with changed as (
    select distinct ticket_no from batch_event
    where kind = 'change_type'
),

events as (
    select
        batch_event.ticket_no,
        transition.generation,
        batch_event.position,
        batch_event.ticket_type,
        batch_event.new_type,
        batch_event.kind = 'change_type' as is_change
    from batch_event
    inner join changed on batch_event.ticket_no = changed.ticket_no
    inner join batch_transition as transition
        on batch_event.ticket_no = transition.ticket_no and batch_event.position = transition.position
    where not transition.is_void
),

first_types as (
    select distinct on (ticket_no, generation)
        ticket_no,
        generation,
        ticket_type
    from events
    where ticket_type is not null
    order by ticket_no, generation, position
),

given as (
    select
        events.ticket_no,
        events.generation,
        events.position,
        events.new_type,
        known.ticket_type is not null as is_known,
        coalesce(original.is_fixed, false) as was_fixed,
        coalesce(known.is_fixed, false) as is_fixed
    from events
    left join first_types
        on events.ticket_no = first_types.ticket_no and events.generation = first_types.generation
    left join core.ticket_type as original on first_types.ticket_type = original.ticket_type
    left join core.ticket_type as known on events.new_type = known.ticket_type
    where events.is_change
),

judged as (
    select
        *,
        was_fixed or coalesce(
            bool_or(is_fixed) over (
                partition by ticket_no, generation
                order by position rows between unbounded preceding and 1 preceding
            ),
            false
        ) as is_too_late
    from given
)

select
    ticket_no,
    generation,
    position,
    new_type,
    case
        when is_too_late then 'fixed_type'
        when not is_known then 'unknown_type'
    end as reason
from judged
