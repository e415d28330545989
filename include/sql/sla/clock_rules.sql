-- In: batch_subject, rules (policies and metrics by era and priority; see tickets/metrics.py). Out: temporary table
-- batch_rule: what is measured of tickets that these versions are meant for. The first policy in force wins.
create temporary table batch_rule on commit drop as
with rules as (
    select rule.*
    from jsonb_to_recordset(%(rules)s::jsonb) as rule (
        era_from timestamptz,
        era_until timestamptz,
        rank integer,
        version_no integer,
        policy text,
        priority text,
        metric text,
        begins_with text,
        first_cycle integer,
        last_cycle integer,
        ticket_types text[],
        target_seconds bigint,
        warn_before_seconds bigint,
        calendar_id integer,
        pauses_in text[],
        stops_in text[],
        rests_in text[]
    )
),

groups as (
    select distinct versions from batch_subject
),

ranked as (
    select
        groups.versions,
        rules.*,
        rank() over (partition by groups.versions, rules.era_from, rules.priority order by rules.rank) as place
    from groups
    inner join rules on rules.version_no = any(groups.versions)
)

select
    versions,
    era_from,
    era_until,
    policy,
    priority,
    metric,
    begins_with,
    first_cycle,
    last_cycle,
    ticket_types,
    target_seconds,
    warn_before_seconds,
    calendar_id,
    pauses_in,
    stops_in,
    rests_in
from ranked
where place = 1 and metric is not null
