-- In: since, as_of; core.ticket_event. Out: all events up to as_of of the tickets with one in the span.
with tickets as (
    select distinct
        account,
        ticket_key
    from core.ticket_event
    where occurred_at > %(since)s::timestamptz and occurred_at <= %(as_of)s::timestamptz
),

events as (
    select * from core.ticket_event
    where occurred_at <= %(as_of)s::timestamptz
)

select
    events.account,
    events.source,
    events.source_id,
    events.ticket_key,
    events.marketplace,
    events.kind,
    events.ticket_type,
    events.occurred_at,
    events.source_order,
    events.actor,
    events.order_id,
    events.case_id,
    events.buyer_ref,
    events.is_automatic,
    events.detail
from events
inner join tickets on events.account = tickets.account and events.ticket_key = tickets.ticket_key
