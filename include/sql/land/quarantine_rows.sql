-- In: rows that broke a rejecting rule, as lists of the same length. Out: ops.quarantine.
insert into ops.quarantine (account, dataset, batch_id, row_key, rule, set_aside_at)
with broken as (
    select
        broken.*,
        %(checked_at)s::timestamptz as set_aside_at
    from
        unnest(%(batch_ids)s::bigint[], %(row_keys)s::text[], %(rules)s::text[])
            as broken (batch_id, row_key, rule)
)

select
    b.account,
    b.dataset,
    broken.batch_id,
    broken.row_key,
    broken.rule,
    broken.set_aside_at
from broken
inner join ops.batch as b on broken.batch_id = b.batch_id
on conflict (batch_id, dataset, row_key, rule) do nothing
