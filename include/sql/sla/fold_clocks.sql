-- In: batch_cycle, batch_pause, batch_subject. Out: mart.sla_clock.
insert into mart.sla_clock (
    account,
    ticket_id,
    ticket_key,
    metric,
    cycle,
    started_at,
    warn_at,
    due_at,
    stopped_at,
    stopped_by,
    target_seconds,
    warn_before_seconds,
    elapsed_seconds,
    paused_seconds,
    breached_at,
    pauses,
    policy,
    calendar_id
)
with paused as (
    select
        ticket_no,
        generation,
        metric,
        cycle,
        count(*) as pauses,
        max(until_at) as runs_from,
        max(elapsed_seconds) as elapsed_seconds,
        sum(paused_seconds) filter (where until_at < 'infinity') as paused_seconds,
        min(due_at) filter (where due_at < from_at) as breached_at
    from batch_pause
    group by ticket_no, generation, metric, cycle
),

running as (
    select
        batch_cycle.*,
        paused.breached_at,
        coalesce(paused.pauses, 0) as pauses,
        coalesce(paused.elapsed_seconds, 0) as elapsed_before,
        coalesce(paused.paused_seconds, 0) as paused_seconds,
        nullif(coalesce(paused.runs_from, batch_cycle.started_at), 'infinity') as runs_from
    from batch_cycle
    left join paused
        on
            batch_cycle.ticket_no = paused.ticket_no
            and batch_cycle.generation = paused.generation
            and batch_cycle.metric = paused.metric
            and batch_cycle.cycle = paused.cycle
),

counted as (
    select
        running.*,
        coalesce(running.deadline_at, due.due_at) as last_due_at,
        running.elapsed_before + ran.seconds as elapsed_seconds
    from running
    cross join
        lateral mart.business_due(
            running.calendar_id, running.runs_from, running.target_seconds - running.elapsed_before
        ) as due
    cross join lateral mart.business_elapsed(running.calendar_id, running.runs_from, running.stopped_at) as ran
),

judged as (
    select
        ticket_no,
        generation,
        metric,
        cycle,
        started_at,
        stopped_at,
        stopped_by,
        target_seconds,
        warn_before_seconds,
        case when stopped_at is not null then elapsed_seconds end as elapsed_seconds,
        paused_seconds,
        pauses,
        policy,
        calendar_id,
        last_due_at,
        coalesce(
            breached_at, case when last_due_at < coalesce(stopped_at, 'infinity') then last_due_at end
        ) as breached_at
    from counted
),

due as (
    select
        *,
        coalesce(breached_at, last_due_at) as due_at
    from judged
)

select
    batch_subject.account,
    batch_subject.ticket_id,
    batch_subject.ticket_key,
    due.metric,
    due.cycle,
    due.started_at,
    due.due_at - make_interval(secs => due.warn_before_seconds) as warn_at,
    due.due_at,
    due.stopped_at,
    due.stopped_by,
    due.target_seconds,
    due.warn_before_seconds,
    due.elapsed_seconds,
    due.paused_seconds,
    due.breached_at,
    due.pauses,
    due.policy,
    due.calendar_id
from due
inner join batch_subject on due.ticket_no = batch_subject.ticket_no and due.generation = batch_subject.generation
order by batch_subject.account, batch_subject.ticket_id, due.metric, due.cycle
