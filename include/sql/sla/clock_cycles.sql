-- In: batch_measured, batch_period. Out: temporary table batch_cycle: the same cycles, ended by the statuses that end
-- them. Pauses are not looked at yet.
create temporary table batch_cycle on commit drop as
with stops as (
    select distinct on (
        batch_measured.ticket_no, batch_measured.generation, batch_measured.metric, batch_measured.cycle
    )
        batch_measured.ticket_no,
        batch_measured.generation,
        batch_measured.metric,
        batch_measured.cycle,
        greatest(batch_period.from_at, batch_measured.started_at) as stopped_at,
        batch_period.cause as stopped_by
    from batch_measured
    inner join batch_period
        on batch_measured.ticket_no = batch_period.ticket_no and batch_measured.generation = batch_period.generation
    where
        batch_period.status = any(batch_measured.stops_in)
        and batch_period.until_at > batch_measured.started_at
        and (batch_measured.stopped_at is null or batch_period.from_at < batch_measured.stopped_at)
    order by
        batch_measured.ticket_no,
        batch_measured.generation,
        batch_measured.metric,
        batch_measured.cycle,
        batch_period.from_at
),

-- The rest that lasts for ever is the end.
last_periods as (
    select
        batch_measured.ticket_no,
        batch_measured.generation,
        batch_measured.metric,
        batch_measured.cycle,
        coalesce(
            max(batch_period.until_at) filter (where not batch_period.status = any(batch_measured.rests_in)),
            min(batch_measured.started_at)
        ) as stopped_at
    from batch_measured
    inner join batch_period
        on batch_measured.ticket_no = batch_period.ticket_no and batch_measured.generation = batch_period.generation
    where cardinality(batch_measured.rests_in) > 0
    group by batch_measured.ticket_no, batch_measured.generation, batch_measured.metric, batch_measured.cycle
),

ends as (
    select
        last_periods.ticket_no,
        last_periods.generation,
        last_periods.metric,
        last_periods.cycle,
        last_periods.stopped_at,
        batch_period.cause as stopped_by
    from last_periods
    inner join batch_period
        on
            last_periods.ticket_no = batch_period.ticket_no
            and last_periods.generation = batch_period.generation
            and last_periods.stopped_at = batch_period.from_at
    union all
    select * from stops
),

cycles as (
    select
        batch_measured.ticket_no,
        batch_measured.generation,
        batch_measured.metric,
        batch_measured.cycle,
        batch_measured.started_at,
        coalesce(ends.stopped_at, batch_measured.stopped_at) as stopped_at,
        coalesce(ends.stopped_by, batch_measured.stopped_by) as stopped_by,
        batch_measured.deadline_at,
        batch_measured.policy,
        batch_measured.calendar_id,
        batch_measured.target_seconds,
        batch_measured.warn_before_seconds,
        batch_measured.pauses_in,
        batch_measured.rests_in
    from batch_measured
    left join ends
        on
            batch_measured.ticket_no = ends.ticket_no
            and batch_measured.generation = ends.generation
            and batch_measured.metric = ends.metric
            and batch_measured.cycle = ends.cycle
)

select * from cycles
