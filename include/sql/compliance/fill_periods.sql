-- In: batch_period; mart.compliance_cycle. Out: mart.compliance of these days and months.
insert into mart.compliance (
    period,
    starts_on,
    account,
    marketplace,
    desk,
    team,
    agent,
    ticket_type,
    metric,
    ended,
    met,
    breached,
    median_elapsed_seconds,
    p90_elapsed_seconds,
    p95_elapsed_seconds,
    median_response_seconds,
    p90_response_seconds,
    p95_response_seconds,
    reopened,
    backlog,
    oldest_waiting_seconds
)
with spans as (
    select
        account,
        min(end_at) as first_at,
        max(end_at) as last_at
    from batch_period
    group by account
),

-- Looked up by index period by period: `offset 0` keeps the planner from joining by account alone.
counted as (
    select
        batch_period.*,
        'ended' as what,
        cycle.marketplace,
        cycle.desk,
        cycle.team,
        cycle.agent,
        cycle.ticket_type,
        cycle.metric,
        cycle.is_met,
        cycle.is_reopened,
        cycle.elapsed_seconds,
        cycle.response_seconds,
        null::timestamptz as started_at
    from batch_period
    cross join
        lateral (
            select found.* from mart.compliance_cycle as found
            where
                found.account = batch_period.account
                and found.ended_at >= batch_period.start_at
                and found.ended_at < batch_period.end_at
            order by found.ended_at
            offset 0
        ) as cycle
    union all
    select
        batch_period.*,
        'breached' as what,
        cycle.marketplace,
        cycle.desk,
        cycle.team,
        cycle.agent,
        cycle.ticket_type,
        cycle.metric,
        null as is_met,
        null as is_reopened,
        null as elapsed_seconds,
        null as response_seconds,
        null as started_at
    from batch_period
    cross join
        lateral (
            select found.* from mart.compliance_cycle as found
            where
                found.account = batch_period.account
                and found.breached_at >= batch_period.start_at
                and found.breached_at < batch_period.end_at
            order by found.breached_at
            offset 0
        ) as cycle
    union all
    -- Who is to answer what waits is another question than who answers in the end.
    select
        batch_period.*,
        'waiting' as what,
        cycle.marketplace,
        cycle.desk,
        cycle.team,
        'unknown' as agent,
        cycle.ticket_type,
        cycle.metric,
        null as is_met,
        null as is_reopened,
        null as elapsed_seconds,
        null as response_seconds,
        cycle.started_at
    from spans
    cross join
        lateral (
            select
                found.*,
                least(found.waiting_until, spans.last_at) as last_at
            from mart.compliance_cycle as found
            where
                found.account = spans.account
                and found.waiting_until >= spans.first_at
                and found.started_at < spans.last_at
            order by found.waiting_until
            offset 0
        ) as cycle
    cross join
        lateral generate_series(
            greatest(
                (cycle.started_at at time zone 'UTC')::date + 1, (spans.first_at at time zone 'UTC')::date
            )::timestamp,
            (cycle.last_at at time zone 'UTC')::date::timestamp,
            '1 day'
        ) as midnight (local_at)
    inner join batch_period
        on spans.account = batch_period.account and midnight.local_at at time zone 'UTC' = batch_period.end_at
    where cycle.rests is null or not cycle.rests @> batch_period.end_at - interval '1 microsecond'
)

select
    period,
    starts_on,
    account,
    marketplace,
    desk,
    team,
    agent,
    ticket_type,
    metric,
    count(*) filter (where what = 'ended') as ended,
    count(*) filter (where is_met) as met,
    count(*) filter (where what = 'breached') as breached,
    trim_scale(percentile_disc(0.5) within group (order by elapsed_seconds)) as median_elapsed_seconds,
    trim_scale(percentile_disc(0.9) within group (order by elapsed_seconds)) as p90_elapsed_seconds,
    trim_scale(percentile_disc(0.95) within group (order by elapsed_seconds)) as p95_elapsed_seconds,
    trim_scale(percentile_disc(0.5) within group (order by response_seconds)) as median_response_seconds,
    trim_scale(percentile_disc(0.9) within group (order by response_seconds)) as p90_response_seconds,
    trim_scale(percentile_disc(0.95) within group (order by response_seconds)) as p95_response_seconds,
    count(*) filter (where is_reopened) as reopened,
    count(*) filter (where what = 'waiting') as backlog,
    floor(extract(epoch from max(end_at) - min(started_at)))::bigint as oldest_waiting_seconds
from counted
group by
    period,
    starts_on,
    account,
    marketplace,
    desk,
    team,
    agent,
    ticket_type,
    metric
order by
    account,
    period,
    starts_on,
    metric,
    marketplace,
    desk,
    team,
    agent,
    ticket_type
