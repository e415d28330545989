-- In: batch_ticket, batch_event, batch_transition, batch_type_change, mart.ticket. Out: mart.ticket_refusal: what
-- agents did that has no effect, and why.
insert into mart.ticket_refusal (
    account,
    ticket_id,
    ticket_key,
    source,
    source_id,
    occurred_at,
    kind,
    actor,
    reason
)
with deeds as (
    select
        batch_event.*,
        transition.generation,
        case
            when transition.is_void then 'closed'
            else batch_type_change.reason
        end as reason
    from batch_event
    inner join batch_transition as transition
        on batch_event.ticket_no = transition.ticket_no and batch_event.position = transition.position
    left join batch_type_change
        on
            batch_event.ticket_no = batch_type_change.ticket_no
            and batch_event.position = batch_type_change.position
    where
        batch_event.kind in (
            'assign', 'hold', 'solve', 'no_response_needed', 'unread', 'close', 'change_type', 'attach_order',
            'detach_order'
        )
)

select
    ticket.account,
    ticket.ticket_id,
    ticket.ticket_key,
    deeds.source,
    deeds.source_id,
    deeds.occurred_at,
    deeds.kind,
    deeds.actor,
    deeds.reason
from deeds
inner join batch_ticket on deeds.ticket_no = batch_ticket.ticket_no
inner join mart.ticket as ticket
    on
        batch_ticket.account = ticket.account
        and batch_ticket.ticket_key = ticket.ticket_key
        and deeds.generation = ticket.generation
where deeds.reason is not null
