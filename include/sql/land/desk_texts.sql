-- In: rows of the batches whose ticket is known, their words. Out: pii.ticket_event_text.
insert into pii.ticket_event_text (account, source, source_id, body)
with actions as (
    select * from raw.desk_action
    where batch_id = any(%(batch_ids)s::bigint[]) and ticket_key is not null
)

select
    actions.account,
    'desk:' || actions.desk as source,
    actions.row_identity as source_id,
    words.body
from actions
inner join pii.desk_action as words
    on
        actions.account = words.account
        and actions.batch_id = words.batch_id
        and actions.line_number = words.line_number
where words.body is not null
order by actions.account, actions.batch_id, actions.line_number
on conflict (account, source, source_id) do nothing
