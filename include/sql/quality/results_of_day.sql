-- In: as_of; ops.check_result. Out: of the day before as_of, one row a dataset and rule: checks, how many of them a
-- person was told of and of what (account, scope and what was found; twenty at most), rows that were looked at and that
-- broke it.
with results as (
    select
        *,
        state in ('warned', 'rejected') as is_trouble
    from ops.check_result
    where as_of > %(as_of)s::timestamptz - interval '1 day' and as_of <= %(as_of)s::timestamptz
),

troubles as (
    select
        dataset,
        rule,
        account || ' (' || scope || '): ' || coalesce(trim_scale(round(observed, 2))::text, 'nothing') as told,
        row_number() over (partition by dataset, rule order by as_of desc, account asc, scope asc) as place
    from results
    where is_trouble
),

told as (
    select
        dataset,
        rule,
        array_agg(told order by place) as places
    from troubles
    where place <= 20
    group by dataset, rule
),

counted as (
    select
        dataset,
        rule,
        count(*) as checks,
        count(*) filter (where is_trouble) as troubles,
        coalesce(sum(row_count), 0)::bigint as row_count,
        coalesce(sum(failed_count), 0)::bigint as failed_count
    from results
    group by dataset, rule
)

select
    counted.dataset,
    counted.rule,
    counted.checks,
    counted.troubles,
    counted.row_count,
    counted.failed_count,
    coalesce(told.places, '{}') as places
from counted
left join told on counted.dataset = told.dataset and counted.rule = told.rule
