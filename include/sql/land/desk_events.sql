-- In: rows of the batches whose ticket is known, their words. Out: core.ticket_event; an action that another row, file
-- or export told already is there. Of new ones: pii.ticket_event_text (words that were forgotten do not come back) and
-- ops.ticket_touched.
with actions as (
    select
        *,
        'desk:' || desk as source
    from raw.desk_action
    where batch_id = any(%(batch_ids)s::bigint[]) and ticket_key is not null
),

recorded as (
    insert into core.ticket_event (
        account,
        source,
        source_id,
        ticket_key,
        kind,
        occurred_at,
        source_order,
        actor,
        detail
    )
    select
        account,
        source,
        row_identity as source_id,
        ticket_key,
        kind,
        occurred_at,
        2 as source_order,
        coalesce(actor, 'unknown') as actor,
        jsonb_strip_nulls(
            jsonb_build_object('agent', agent, 'stakeholder', stakeholder, 'status', status)
        ) as detail
    from actions
    order by account, batch_id, line_number
    on conflict (account, source, source_id) do nothing
    returning account, source, source_id, ticket_key
),

touched as (
    insert into ops.ticket_touched (account, ticket_key)
    select distinct
        account,
        ticket_key
    from recorded
    on conflict (account, ticket_key) do nothing
),

words as (
    select distinct on (actions.account, actions.source, actions.row_identity)
        actions.account,
        actions.source,
        actions.row_identity as source_id,
        received.body
    from actions
    inner join pii.desk_action as received
        on
            actions.account = received.account
            and actions.batch_id = received.batch_id
            and actions.line_number = received.line_number
    where received.body is not null
    order by actions.account, actions.source, actions.row_identity, actions.batch_id, actions.line_number
)

insert into pii.ticket_event_text (account, source, source_id, body)
select
    words.account,
    words.source,
    words.source_id,
    words.body
from recorded
inner join words
    on
        recorded.account = words.account
        and recorded.source = words.source
        and recorded.source_id = words.source_id
on conflict (account, source, source_id) do nothing
