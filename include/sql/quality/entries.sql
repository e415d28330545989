-- In: account, dataset, rule, batch_id (each null: any); whether settled rows count; how many at most. Out: rows of
-- quarantine, with the row as received where it could not be landed (personal data), and rows that broke a rule that
-- only warns (quarantine_id is null): of the newest check of each source, or of every check if settled rows count or a
-- batch is named; the newest first.
with asides as (
    select * from ops.quarantine
    where
        (%(with_settled)s::boolean or settled_at is null)
        and (%(account)s::text is null or account = %(account)s::text)
        and (%(dataset)s::text is null or dataset = %(dataset)s::text)
        and (%(rule)s::text is null or rule = %(rule)s::text)
        and (%(batch_id)s::bigint is null or batch_id = %(batch_id)s::bigint)
    order by quarantine_id desc
    limit %(most)s::integer
),

warnings as (
    select * from ops.check_result as result
    where
        broken_rows is not null
        and (%(account)s::text is null or account = %(account)s::text)
        and (%(dataset)s::text is null or dataset = %(dataset)s::text)
        and (%(rule)s::text is null or rule = %(rule)s::text)
        and (%(batch_id)s::bigint is null or batch_id = %(batch_id)s::bigint)
        and (
            %(with_settled)s::boolean
            or %(batch_id)s::bigint is not null
            or (
                state = 'warned'
                and not exists (
                    select 1 from ops.check_result as later
                    where
                        later.account = result.account
                        and later.dataset = result.dataset
                        and later.rule = result.rule
                        and later.scope = result.scope
                        and later.as_of > result.as_of
                )
            )
        )
),

warned as (
    select
        warnings.account,
        warnings.dataset,
        warnings.batch_id,
        broken.row_key,
        warnings.rule,
        broken.value,
        'expected: ' || warnings.expected as reason,
        warnings.checked_at as found_at
    from warnings
    cross join lateral jsonb_each_text(warnings.broken_rows) as broken (row_key, value)
    order by warnings.as_of desc, warnings.batch_id desc, warnings.rule asc, broken.row_key asc
    limit %(most)s::integer
),

both_kinds as (
    select
        asides.quarantine_id,
        asides.account,
        asides.dataset,
        asides.batch_id,
        asides.row_key,
        asides.rule,
        asides.value,
        coalesce(asides.reason, 'expected: ' || result.expected) as reason,
        asides.set_aside_at as found_at,
        asides.settled_at,
        asides.settled_as,
        asides.settled_because,
        asides.retry_batch_id,
        received.content
    from asides
    left join pii.quarantined_row as received on asides.quarantine_id = received.quarantine_id
    left join ops.check_result as result
        on asides.account = result.account and asides.batch_id = result.batch_id and asides.rule = result.rule
    union all
    select
        null as quarantine_id,
        account,
        dataset,
        batch_id,
        row_key,
        rule,
        value,
        reason,
        found_at,
        null as settled_at,
        null as settled_as,
        null as settled_because,
        null as retry_batch_id,
        null as content
    from warned
)

select * from both_kinds
order by found_at desc, quarantine_id desc, batch_id desc, rule asc, row_key asc
limit %(most)s::integer
