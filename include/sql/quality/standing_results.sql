-- In: one entry a rule, account and scope, as lists of the same length; as_of. Out: ops.check_result; what is asked for
-- the same instant again is told anew.
insert into ops.check_result as known (
    account,
    dataset,
    scope,
    rule,
    severity,
    as_of,
    row_count,
    failed_count,
    observed,
    expected,
    cause,
    state,
    passed,
    checked_at
)
select
    account,
    dataset,
    scope,
    rule,
    'warn' as severity,
    %(as_of)s::timestamptz as as_of,
    1 as row_count,
    is_broken::integer as failed_count,
    observed,
    expected,
    cause,
    case when is_broken then 'warned' else 'passed' end as state,
    not is_broken as passed,
    %(checked_at)s::timestamptz as checked_at
from
    unnest(
        %(accounts)s::text[],
        %(datasets)s::text[],
        %(scopes)s::text[],
        %(rules)s::text[],
        %(observeds)s::numeric[],
        %(expected)s::text[],
        %(causes)s::text[],
        %(is_brokens)s::boolean[]
    ) as result (account, dataset, scope, rule, observed, expected, cause, is_broken)
on conflict (account, dataset, scope, rule, as_of) where batch_id is null do update
    set
        observed = excluded.observed,
        failed_count = excluded.failed_count,
        expected = excluded.expected,
        cause = excluded.cause,
        state = excluded.state,
        passed = excluded.passed,
        checked_at = excluded.checked_at
