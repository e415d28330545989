-- In: events to replay. Out: core.ticket_event has them; of two with one id, the first.
insert into core.ticket_event (
    account,
    source,
    source_id,
    ticket_key,
    marketplace,
    kind,
    ticket_type,
    occurred_at,
    source_order,
    actor,
    is_automatic,
    detail
)
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
    event.is_automatic,
    event.detail
from jsonb_populate_recordset(null::core.ticket_event, %(events)s::jsonb) as event
order by event.source_order
on conflict (account, source, source_id) do nothing
