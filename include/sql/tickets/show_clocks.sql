-- In: account, ticket_id, as_of. Out: every cycle of the ticket's clocks that had started then, as of then.
with started as (
    select * from mart.sla_clock
    where
        account = %(account)s
        and ticket_id = %(ticket_id)s
        and started_at <= %(as_of)s::timestamptz
),

asked as (
    select %(as_of)s::timestamptz as as_of
)

select
    started.metric,
    started.cycle,
    started.started_at,
    then_known.due_at,
    then_known.stopped_at,
    then_known.stopped_by,
    then_known.elapsed_seconds,
    then_known.paused_seconds,
    then_known.breached_at,
    then_known.seconds_left,
    then_known.state,
    started.target_seconds,
    started.policy,
    calendar.calendar
from mart.sla_clock as clock
inner join started
    on
        clock.account = started.account
        and clock.ticket_id = started.ticket_id
        and clock.metric = started.metric
        and clock.cycle = started.cycle
inner join mart.calendar as calendar on clock.calendar_id = calendar.calendar_id
cross join asked
cross join lateral mart.clock_at(clock, asked.as_of) as then_known
order by started.started_at desc, started.metric asc, started.cycle desc
