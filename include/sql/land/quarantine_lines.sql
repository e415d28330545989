-- In: lines of one batch's document that could not be landed, as lists of the same length, and its heading (null: it
-- has none). Out: ops.quarantine with the reasons, pii.quarantined_row with the lines, ops.batch with the heading.
with lines as (
    select *
    from
        unnest(%(row_keys)s::text[], %(reasons)s::text[], %(contents)s::text[])
            as line (row_key, reason, content)
),

landed as (
    select * from ops.batch
    where batch_id = %(batch_id)s::bigint
),

entries as (
    select
        landed.account,
        landed.dataset,
        landed.batch_id,
        lines.row_key,
        lines.reason
    from landed
    cross join lines
),

headed as (
    update ops.batch
    set heading = %(heading)s::text
    where batch_id = %(batch_id)s::bigint
),

aside as (
    insert into ops.quarantine (account, dataset, batch_id, row_key, reason, rule, set_aside_at)
    select
        *,
        %(rule)s::text as rule,
        %(set_aside_at)s::timestamptz as set_aside_at
    from entries
    on conflict do nothing
    returning *
)

insert into pii.quarantined_row (quarantine_id, content)
select
    aside.quarantine_id,
    lines.content
from aside
inner join lines on aside.row_key = lines.row_key
