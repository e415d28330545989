-- In: account, dataset, rule, batch_id (each null: any). Out: what waits in quarantine, one row for each account,
-- dataset, rule and batch; and each rejected batch as one row without a rule, instead of its rows.
with asides as (
    select * from ops.quarantine
    where
        settled_at is null
        and (%(account)s::text is null or account = %(account)s::text)
        and (%(dataset)s::text is null or dataset = %(dataset)s::text)
        and (%(rule)s::text is null or rule = %(rule)s::text)
        and (%(batch_id)s::bigint is null or batch_id = %(batch_id)s::bigint)
),

rejected as (
    select * from ops.batch
    where
        rejected_because is not null
        and discarded_at is null
        and %(rule)s::text is null
        and (%(account)s::text is null or account = %(account)s::text)
        and (%(dataset)s::text is null or dataset = %(dataset)s::text)
        and (%(batch_id)s::bigint is null or batch_id = %(batch_id)s::bigint)
),

groups as (
    select
        asides.account,
        asides.dataset,
        asides.batch_id,
        landed.scope,
        asides.rule,
        count(*) as rows,
        min(asides.set_aside_at) as since,
        coalesce(min(asides.reason), 'expected: ' || min(result.expected)) as reason
    from asides
    inner join ops.batch as landed on asides.batch_id = landed.batch_id
    left join ops.check_result as result
        on asides.account = result.account and asides.batch_id = result.batch_id and asides.rule = result.rule
    where landed.rejected_because is null
    group by asides.account, asides.dataset, asides.batch_id, landed.scope, asides.rule
    union all
    select
        account,
        dataset,
        batch_id,
        scope,
        null as rule,
        row_count as rows,
        checked_at as since,
        rejected_because as reason
    from rejected
)

select * from groups
order by account, dataset, batch_id, rule
