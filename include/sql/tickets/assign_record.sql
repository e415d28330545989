-- In: as_of; assignments, one row a ticket and agent, with what a repeat of the same step would have in common
-- (source_id). Out: core.ticket_event has them, and ops.ticket_touched the tickets that got a new one.
with assignments as (
    select assignment.*
    from jsonb_to_recordset(%(assignments)s::jsonb) as assignment (
        account text,
        ticket_key text,
        marketplace text,
        source_id text,
        rule text,
        team text,
        agent text
    )
),

recorded as (
    insert into core.ticket_event (
        account,
        source,
        source_id,
        ticket_key,
        marketplace,
        kind,
        occurred_at,
        source_order,
        actor,
        detail
    )
    select
        account,
        'rules' as source,
        source_id,
        ticket_key,
        marketplace,
        'assign' as kind,
        %(as_of)s::timestamptz as occurred_at,
        2 as source_order,
        'rules' as actor,
        jsonb_strip_nulls(jsonb_build_object('rule', rule, 'team', team, 'agent', agent)) as detail
    from assignments
    on conflict (account, source, source_id) do nothing
    returning account, ticket_key
),

touched as (
    insert into ops.ticket_touched (account, ticket_key)
    select distinct
        account,
        ticket_key
    from recorded
    on conflict (account, ticket_key) do nothing
)

select count(*) as recorded from recorded
