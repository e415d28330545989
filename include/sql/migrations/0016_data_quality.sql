-- In: batches, quarantine, check results. Out: quarantine that can be worked, results with what was observed and
-- expected, their trend, and what a person should look at.

---------- batches

create index batch_window on ops.batch (account, dataset, scope, window_end);

---------- quarantine

alter table ops.batch
add column heading text,
add column retry_of bigint references ops.batch,
add column discarded_at timestamptz,
add column accepted_because text;
comment on column ops.batch.heading is 'First line of the document, kept where lines of it could not be read: they '
'can only be read again below it.';
comment on column ops.batch.retry_of is 'Batch whose rows, set aside, this one brings once more; null: it came from '
'its source.';
comment on column ops.batch.discarded_at is 'A person gave up the rejected batch: it is kept and never published.';
comment on column ops.batch.accepted_because is 'Why the rules for whole batches that it had broken count for nothing: '
'a person said so.';

alter table ops.quarantine
add column value text,
add column run text,
add column settled_at timestamptz,
add column settled_as text check (settled_as in ('retried', 'discarded')),
add column settled_because text,
add column retry_batch_id bigint references ops.batch,
add check ((settled_at is null) = (settled_as is null));
comment on column ops.quarantine.value is 'What the rule looked at, at most 80 characters; null: nothing was there.';
comment on column ops.quarantine.run is 'Airflow''s run that checked the row; null: somebody did by hand.';
comment on column ops.quarantine.settled_at is 'Null: the row waits for a person. A row that is settled stays out of '
'its batch; a retried one went through the same path in retry_batch_id.';
create index quarantine_open on ops.quarantine (account, dataset, rule) where settled_at is null;
create index quarantine_settled on ops.quarantine (settled_at) where settled_at is not null;

---------- results

alter table ops.check_result
drop constraint check_result_pkey,
alter column batch_id drop not null,
add column account text,
add column scope text,
add column as_of timestamptz,
add column observed numeric,
add column expected text,
add column state text check (state in ('passed', 'tolerated', 'warned', 'rejected'));

update ops.check_result as result
set
    account = landed.account,
    scope = landed.scope,
    as_of = coalesce(landed.window_end, result.checked_at),
    observed = result.failed_count,
    state = case when result.passed then 'passed' when result.severity = 'warn' then 'warned' else 'rejected' end
from ops.batch as landed
where result.batch_id = landed.batch_id;

alter table ops.check_result
alter column account set not null,
alter column scope set not null,
alter column as_of set not null,
alter column state set not null;
create unique index check_result_batch on ops.check_result (account, batch_id, rule) where batch_id is not null;
create unique index check_result_standing on ops.check_result (account, dataset, scope, rule, as_of)
where batch_id is null;
create index check_result_rule on ops.check_result (account, dataset, rule, scope, as_of);
create index check_result_warned on ops.check_result (account, dataset, rule, scope) where state = 'warned';
create index check_result_day on ops.check_result (as_of);
comment on table ops.check_result is 'What each rule said: of a batch, or (batch_id null) of how a source or the '
'answers stand as of an instant.';
comment on column ops.check_result.as_of is 'The instant for which the check was made, not when it ran.';
comment on column ops.check_result.observed is 'Of a rule for rows how many broke it, of a rule for a batch or a '
'source the value it looked at; null: there was nothing to look at.';
comment on column ops.check_result.expected is 'In words, such as "rating from 1 to 5".';
comment on column ops.check_result.state is 'tolerated: broken by fewer rows than anybody need hear of. warned: '
'recorded and told. rejected: rows were set aside, or the batch waits for a person.';

---------- answers

create view mart.data_quality as
select
    account,
    dataset,
    rule,
    (as_of at time zone 'UTC')::date as day,
    max(severity) as severity,
    count(*) as checks,
    count(*) filter (where state in ('warned', 'rejected')) as troubles,
    sum(row_count) as rows,
    sum(failed_count) as failed_rows,
    sum(failed_count) / nullif(sum(row_count), 0) as failed_share,
    max(expected) as expected,
    min(observed) as observed_least,
    max(observed) as observed_most
from ops.check_result
group by account, dataset, rule, (as_of at time zone 'UTC')::date;
comment on view mart.data_quality is 'What the checks said, by day (UTC) of the instant for which they were made.';

create view mart.data_quality_trouble as
with suspects as (
    select distinct
        account,
        dataset,
        rule,
        scope
    from ops.check_result
    where state = 'warned'
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
    where result.state = 'warned'
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
            coalesce(broken.expected, broken.rule) || ' is expected; see quality show --dataset ',
            broken.dataset || ' --rule ' || broken.rule || '.'
        ) as sentence
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
        ) as sentence
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
        ) as sentence
    from ops.batch
    where rejected_because is not null and discarded_at is null
    group by account, dataset
)

select * from warnings
union all
select * from waiting
union all
select * from rejected;
comment on view mart.data_quality_trouble is 'What a person should look at, as it stands: warnings that the newest '
'check repeats, rows in quarantine, rejected batches.';
comment on column mart.data_quality_trouble.since is 'Warnings: as of the first check that broke the rule without one '
'passing since. The rest: when it was set aside.';
comment on column mart.data_quality_trouble.sentence is 'One sentence without personal data, with the command to look '
'closer (after python -m amazon_support).';
