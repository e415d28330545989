-- In: key of an order, ticket or mail (null: all), most. Out: the newest removals, what each removed, by kind.
with named as (
    select * from ops.removal
    where %(key)s::text is null or key = %(key)s::text
),

runs as (
    select * from ops.removal_run
    where %(key)s::text is null or run_id in (select named.run_id from named)
    order by run_id desc
    limit %(most)s
)

select
    runs.run_id,
    runs.rule,
    runs.as_of,
    runs.started_at,
    runs.finished_at,
    runs.because,
    named.account,
    named.kind,
    count(*) filter (where named.key <> '') as subjects,
    sum(named.entries)::bigint as entries,
    count(*) filter (where named.archived_as <> '{}' and named.files_removed_at is null) as files_waiting
from runs
left join named on runs.run_id = named.run_id
group by
    runs.run_id,
    runs.rule,
    runs.as_of,
    runs.started_at,
    runs.finished_at,
    runs.because,
    named.account,
    named.kind
order by runs.run_id desc, named.account asc, named.kind asc
