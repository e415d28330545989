-- In: a person's action on a ticket, and its words if it has any. Out: core.ticket_event has it, once by its
-- source_id; of a new one also pii.ticket_event_text and ops.ticket_touched. Returns a row if it is new.
with recorded as (
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
        order_id,
        buyer_ref,
        detail
    )
    values (
        %(account)s,
        %(source)s,
        %(source_id)s,
        %(ticket_key)s,
        %(marketplace)s,
        %(kind)s,
        %(ticket_type)s,
        %(occurred_at)s,
        2,
        %(actor)s,
        %(order_id)s,
        %(buyer_ref)s,
        %(detail)s::jsonb
    )
    on conflict (account, source, source_id) do nothing
    returning account, source, source_id, ticket_key
),

touched as (
    insert into ops.ticket_touched (account, ticket_key)
    select
        account,
        ticket_key
    from recorded
    on conflict (account, ticket_key) do nothing
),

words as (
    insert into pii.ticket_event_text (account, source, source_id, body)
    select
        account,
        source,
        source_id,
        %(words)s::text as body
    from recorded
    where %(words)s::text is not null
)

select ticket_key from recorded
