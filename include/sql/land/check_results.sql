-- In: one entry a batch and rule, as lists of the same length. Out: ops.check_result.
insert into ops.check_result (
    batch_id,
    dataset,
    rule,
    severity,
    row_count,
    failed_count,
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
            %(failed_counts)s::bigint[]
        ) as result (batch_id, rule, severity, row_count, failed_count)
)

select
    batch_id,
    %(dataset)s::text as dataset,
    rule,
    severity,
    row_count,
    failed_count,
    failed_count = 0 as passed,
    %(checked_at)s::timestamptz as checked_at
from results
