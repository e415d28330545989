-- In: recomputed; core.ticket_event. Out: all events of these tickets.
select
    event.account,
    event.source,
    event.source_id,
    event.ticket_key,
    event.marketplace,
    event.kind,
    event.ticket_type,
    event.occurred_at,
    event.source_order,
    event.actor,
    event.order_id,
    event.case_id,
    event.buyer_ref,
    event.is_automatic,
    event.detail
from core.ticket_event as event
inner join recomputed on event.account = recomputed.account and event.ticket_key = recomputed.ticket_key
