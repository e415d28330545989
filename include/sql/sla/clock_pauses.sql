-- In: batch_cycle, batch_period. Out: temporary table batch_pause: the stretches of a cycle in which nothing is
-- counted, what was counted before each, and when the cycle would have been due without it.
create temporary table batch_pause on commit drop as
with pauses as (
    select
        batch_cycle.ticket_no,
        batch_cycle.generation,
        batch_cycle.metric,
        batch_cycle.cycle,
        batch_cycle.started_at,
        batch_cycle.calendar_id,
        batch_cycle.target_seconds,
        greatest(batch_period.from_at, batch_cycle.started_at) as from_at,
        least(batch_period.until_at, coalesce(batch_cycle.stopped_at, 'infinity')) as until_at,
        batch_period.status = any(batch_cycle.rests_in) as is_rest,
        batch_period.cause
    from batch_cycle
    inner join batch_period
        on batch_cycle.ticket_no = batch_period.ticket_no and batch_cycle.generation = batch_period.generation
    where
        (batch_period.status = any(batch_cycle.pauses_in) or batch_period.status = any(batch_cycle.rests_in))
        and batch_period.until_at > batch_cycle.started_at
        and (
            batch_cycle.stopped_at is null
            or (batch_period.from_at < batch_cycle.stopped_at and batch_cycle.started_at < batch_cycle.stopped_at)
        )
),

followed as (
    select
        *,
        lag(until_at) over of_cycle as until_before,
        lag(is_rest) over of_cycle as was_rest
    from pauses
    window of_cycle as (partition by ticket_no, generation, metric, cycle order by from_at)
),

-- On hold after pending is one pause.
numbered as (
    select
        *,
        count(*) filter (where until_before is distinct from from_at or was_rest is distinct from is_rest) over (
            partition by ticket_no, generation, metric, cycle order by from_at
        ) as pause_no
    from followed
),

joined as (
    select
        ticket_no,
        generation,
        metric,
        cycle,
        is_rest,
        min(started_at) as started_at,
        min(calendar_id) as calendar_id,
        min(target_seconds) as target_seconds,
        min(from_at) as from_at,
        max(until_at) as until_at,
        (array_agg(cause order by from_at))[1] as cause
    from numbered
    group by ticket_no, generation, metric, cycle, pause_no, is_rest
),

stretches as (
    select
        *,
        coalesce(
            lag(until_at) over (partition by ticket_no, generation, metric, cycle order by from_at), started_at
        ) as runs_from,
        extract(epoch from until_at - from_at) as paused_seconds
    from joined
),

counted as (
    select
        stretches.*,
        ran.seconds
    from stretches
    cross join lateral mart.business_elapsed(stretches.calendar_id, stretches.runs_from, stretches.from_at) as ran
),

summed as (
    select
        *,
        sum(seconds) over (partition by ticket_no, generation, metric, cycle order by from_at) as elapsed_seconds,
        coalesce(
            sum(paused_seconds) over (
                partition by ticket_no, generation, metric, cycle
                order by from_at rows between unbounded preceding and 1 preceding
            ),
            0
        ) as paused_before_seconds
    from counted
)

select
    summed.*,
    due.due_at
from summed
cross join lateral mart.business_due(
    summed.calendar_id,
    summed.runs_from,
    summed.target_seconds - (summed.elapsed_seconds - summed.seconds)
) as due
