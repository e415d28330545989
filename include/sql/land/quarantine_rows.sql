-- In: rows that broke a rejecting rule and what it looked at, as lists of the same length; the run (null: none). Out:
-- ops.quarantine.
insert into ops.quarantine (account, dataset, batch_id, row_key, rule, value, run, set_aside_at)
with broken as (
    select
        broken.*,
        %(run)s::text as run,
        %(checked_at)s::timestamptz as set_aside_at
    from
        unnest(%(batch_ids)s::bigint[], %(row_keys)s::text[], %(rules)s::text[], %(values)s::text[])
            as broken (batch_id, row_key, rule, value)
)

select
    b.account,
    b.dataset,
    broken.batch_id,
    broken.row_key,
    broken.rule,
    broken.value,
    broken.run,
    broken.set_aside_at
from broken
inner join ops.batch as b on broken.batch_id = b.batch_id
on conflict (batch_id, dataset, row_key, rule) do nothing
