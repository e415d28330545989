-- In: sources, check results and their troubles of 0016. Out: which spans of time each source was asked for to the end,
-- and how many columns exports had; results that name a cause; troubles of standing checks, with the command that tells
-- more.

---------- what was pulled

create table ops.pulled (
    account text not null,
    source text not null,
    scope text not null,
    spans tstzmultirange not null,
    pulled_at timestamptz not null,
    primary key (account, source, scope)
);
comment on table ops.pulled is 'Spans of time that a source was asked for to the end, whether it had anything to tell '
'or not; written in the transaction that lands the last of it.';
comment on column ops.pulled.source is 'orders (by search), order_report, feedback, account_health.';
comment on column ops.pulled.scope is 'Amazon''s region; of feedback the marketplace.';
comment on column ops.pulled.pulled_at is 'When the newest pull ended, by the wall clock.';

alter table ops.desk_file add column known_columns integer;
comment on column ops.desk_file.known_columns is 'Columns that the format knows; null of JSON, and of what was known.';

---------- results

alter table ops.check_result add column cause text;
comment on column ops.check_result.cause is 'What a standing check says of why, in words without personal data.';

-- The days that standing checks look at are found without reading what came before.
create index ticket_event_day on core.ticket_event using brin (occurred_at) with (pages_per_range = 32);
create index amazon_order_day on core.amazon_order using brin (ordered_at) with (pages_per_range = 32);

---------- answers

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
        bool_and(result.batch_id is null) as is_standing,
        max(result.cause) as cause,
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
            coalesce(round(broken.observed, 2)::text, 'nothing') || ' found where ',
            coalesce(broken.expected, broken.rule) || ' is expected',
            ' (' || broken.cause || ')',
            case when broken.is_standing then '; see quality results' else '; see quality show' end,
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
            count(*) || ' rows of ' || aside.dataset || ' of ' || aside.account || ' are set aside by ' || aside.rule,
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
            count(*) || ' batches of ' || dataset || ' of ' || account || ' wait for a person, such as ',
            min(batch_id) || ': ' || min(rejected_because) || '; see quality show --batch ' || min(batch_id) || '.'
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
comment on column mart.data_quality_trouble.scope is 'Of warnings: what the source is read by, such as a region.';
comment on column mart.data_quality_trouble.size is 'Rows set aside, or batches rejected; of a warning 1.';
