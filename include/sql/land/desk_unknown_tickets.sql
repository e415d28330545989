-- In: rows of the batches about a ticket that is not there. Out: ops.quarantine names them with the reason. What an
-- earlier export said already is not told again.
insert into ops.quarantine (account, dataset, batch_id, row_key, rule, reason)
with lost as (
    select * from raw.desk_action
    where batch_id = any(%(batch_ids)s::bigint[]) and trouble is not null
)

select
    lost.account,
    'desk_action' as dataset,
    lost.batch_id,
    'line ' || lost.line_number as row_key,
    'ticket_known' as rule,
    lost.trouble as reason
from lost
where
    not exists (
        select 1 from raw.desk_action as earlier
        where
            earlier.account = lost.account
            and earlier.desk = lost.desk
            and earlier.row_identity = lost.row_identity
            and earlier.trouble = lost.trouble
            and (earlier.batch_id, earlier.line_number) < (lost.batch_id, lost.line_number)
    )
order by lost.batch_id, lost.line_number
on conflict (batch_id, dataset, row_key, rule) do nothing
