-- In: as_of; mart.sla_clock. Out: every cycle that had started then, as of then (see mart.clock_at).
with asked as (
    select %(as_of)s::timestamptz as as_of
)

select
    clock.account,
    clock.ticket_id,
    clock.ticket_key,
    clock.metric,
    clock.cycle,
    clock.started_at,
    then_known.warn_at,
    then_known.due_at,
    then_known.stopped_at,
    then_known.stopped_by,
    then_known.elapsed_seconds,
    then_known.paused_seconds,
    then_known.breached_at,
    then_known.seconds_left,
    then_known.state,
    clock.policy,
    calendar.calendar
from mart.sla_clock as clock
inner join asked on clock.started_at <= asked.as_of
inner join mart.calendar as calendar on clock.calendar_id = calendar.calendar_id
cross join lateral mart.clock_at(clock, asked.as_of) as then_known
order by clock.account, clock.ticket_id, clock.metric, clock.cycle
