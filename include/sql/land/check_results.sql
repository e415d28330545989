-- In: one entry a batch and rule, as lists of the same length; as_of. Out: ops.check_result; a batch that is checked
-- anew is told anew.
insert into ops.check_result as known (
    batch_id,
    account,
    scope,
    dataset,
    rule,
    severity,
    as_of,
    row_count,
    failed_count,
    observed,
    expected,
    state,
    broken_rows,
    passed,
    checked_at
)
with results as (
    select *
    from
        unnest(
            %(batch_ids)s::bigint[],
            %(rules)s::text[],
            %(severities)s::text[],
            %(row_counts)s::bigint[],
            %(failed_counts)s::bigint[],
            %(observed)s::numeric[],
            %(expected)s::text[],
            %(states)s::text[],
            %(broken_rows)s::jsonb[]
        ) as result (batch_id, rule, severity, row_count, failed_count, observed, expected, state, broken_rows)
),

batches as (
    select
        *,
        coalesce(window_end, %(as_of)s::timestamptz) as as_of,
        %(checked_at)s::timestamptz as told_at
    from ops.batch
    where batch_id = any(%(batch_ids)s::bigint[])
)

select
    results.batch_id,
    landed.account,
    landed.scope,
    landed.dataset,
    results.rule,
    results.severity,
    landed.as_of,
    results.row_count,
    results.failed_count,
    results.observed,
    results.expected,
    results.state,
    results.broken_rows,
    results.failed_count = 0 as passed,
    landed.told_at as checked_at
from results
inner join batches as landed on results.batch_id = landed.batch_id
on conflict (account, batch_id, rule) where batch_id is not null do update
    set
        severity = excluded.severity,
        as_of = excluded.as_of,
        row_count = excluded.row_count,
        failed_count = excluded.failed_count,
        observed = excluded.observed,
        expected = excluded.expected,
        state = excluded.state,
        broken_rows = excluded.broken_rows,
        passed = excluded.passed,
        checked_at = excluded.checked_at
