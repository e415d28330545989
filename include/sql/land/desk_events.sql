-- In: rows of the batches whose ticket is known. Out: core.ticket_event. An action that another row, file or export
-- told already is there.
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
with actions as (
    select * from raw.desk_action
    where batch_id = any(%(batch_ids)s::bigint[]) and ticket_key is not null
)

select
    account,
    'desk:' || desk as source,
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
