-- In: account, dataset, rule, batch_id (each null: any); whether passed checks count; how many at most. Out: results of
-- checks, the newest first.
select
    as_of,
    account,
    dataset,
    scope,
    batch_id,
    rule,
    state,
    observed,
    expected,
    cause
from ops.check_result
where
    (%(with_passed)s::boolean or state <> 'passed')
    and (%(account)s::text is null or account = %(account)s::text)
    and (%(dataset)s::text is null or dataset = %(dataset)s::text)
    and (%(rule)s::text is null or rule = %(rule)s::text)
    and (%(batch_id)s::bigint is null or batch_id = %(batch_id)s::bigint)
order by as_of desc, account asc, dataset asc, scope asc, rule asc
limit %(most)s::integer
