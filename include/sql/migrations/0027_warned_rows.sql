-- In: check results and their troubles of 0019. Out: which rows broke a rule that only warns, and troubles with the
-- command that shows them; one row is one, not several.

alter table ops.check_result add column broken_rows jsonb;
comment on column ops.check_result.broken_rows is 'Of a rule that only warns every row that broke it, by its key, with '
'what the rule looked at, at most 80 characters; null: none did, or the rule is for whole batches, or it rejects (rows '
'are in ops.quarantine then).';

create or replace view mart.data_quality_trouble as
with suspects as (
    select distinct
        account,
        dataset,
        rule,
        scope
    from ops.check_result
    where state = 'warned'
),

-- What is no longer checked (an account that was switched off) is no trouble any more.
judged as (
    select
        dataset,
        rule,
        max(as_of) - interval '2 days' as since
    from ops.check_result
    where batch_id is null and rule in (select suspects.rule from suspects)
    group by dataset, rule
),

latest as (
    select
        suspects.*,
        newest.as_of
    from suspects
    cross join lateral (
        select max(result.as_of) as as_of from ops.check_result as result
        where
            result.account = suspects.account
            and result.dataset = suspects.dataset
            and result.rule = suspects.rule
            and result.scope = suspects.scope
    ) as newest
),

broken as (
    select
        result.account,
        result.dataset,
        result.rule,
        result.scope,
        result.as_of,
        bool_or(result.broken_rows is not null) as has_rows,
        max(result.cause) as cause,
        sum(result.row_count) as row_count,
        sum(result.failed_count) as failed_count,
        max(result.expected) as expected,
        max(result.observed) as observed
    from ops.check_result as result
    inner join latest
        on
            result.account = latest.account
            and result.dataset = latest.dataset
            and result.rule = latest.rule
            and result.scope = latest.scope
            and result.as_of = latest.as_of
    left join judged
        on result.dataset = judged.dataset and result.rule = judged.rule and result.batch_id is null
    where result.state = 'warned' and (judged.since is null or result.as_of >= judged.since)
    group by result.account, result.dataset, result.rule, result.scope, result.as_of
),

warnings as (
    select
        broken.account,
        broken.dataset,
        broken.rule,
        streak.since,
        concat(
            broken.dataset || ' of ' || broken.account || ' (' || broken.scope || '): ',
            case
                when broken.has_rows
                    then broken.failed_count || ' of ' || broken.row_count || ' rows break ' || broken.rule || ': '
                else coalesce(trim_scale(round(broken.observed, 2))::text, 'nothing') || ' found where '
            end,
            coalesce(broken.expected, broken.rule) || ' is expected',
            ' (' || broken.cause || ')',
            case when broken.has_rows then '; see quality show' else '; see quality results' end,
            ' --dataset ' || broken.dataset || ' --rule ' || broken.rule || '.'
        ) as sentence,
        broken.scope,
        1 as size
    from broken
    cross join lateral (
        select min(result.as_of) as since
        from ops.check_result as result
        where
            result.account = broken.account
            and result.dataset = broken.dataset
            and result.rule = broken.rule
            and result.scope = broken.scope
            and result.state = 'warned'
            and result.as_of > coalesce((
                select max(good.as_of) from ops.check_result as good
                where
                    good.account = broken.account
                    and good.dataset = broken.dataset
                    and good.rule = broken.rule
                    and good.scope = broken.scope
                    and good.state in ('passed', 'tolerated')
                    and good.as_of < broken.as_of
            ), '-infinity')
    ) as streak
),

waiting as (
    select
        aside.account,
        aside.dataset,
        aside.rule,
        min(aside.set_aside_at) as since,
        concat(
            count(*) || case when count(*) = 1 then ' row of ' else ' rows of ' end,
            aside.dataset || ' of ' || aside.account,
            case when count(*) = 1 then ' is set aside by ' else ' are set aside by ' end || aside.rule,
            '; see quality list --dataset ' || aside.dataset || ' --rule ' || aside.rule || '.'
        ) as sentence,
        '' as scope,
        count(*) as size
    from ops.quarantine as aside
    inner join ops.batch as landed on aside.batch_id = landed.batch_id
    where aside.settled_at is null and landed.rejected_because is null
    group by aside.account, aside.dataset, aside.rule
),

rejected as (
    select
        account,
        dataset,
        'whole_batch' as rule,
        min(checked_at) as since,
        concat(
            case when count(*) = 1 then 'batch ' || min(batch_id) || ' of ' else count(*) || ' batches of ' end,
            dataset || ' of ' || account,
            case
                when count(*) = 1 then ' waits for a person'
                else ' wait for a person, such as batch ' || min(batch_id)
            end,
            ': ' || (array_agg(rejected_because order by batch_id))[1],
            '; see quality show --batch ' || min(batch_id) || '.'
        ) as sentence,
        '' as scope,
        count(*) as size
    from ops.batch
    where rejected_because is not null and discarded_at is null
    group by account, dataset
)

select * from warnings
union all
select * from waiting
union all
select * from rejected;
