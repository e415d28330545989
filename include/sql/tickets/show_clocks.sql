-- In: account, ticket_id, as_of, cycles (null: all). Out: so many of the newest cycles of the ticket's clocks that had
-- started then, and whichever had not been stopped, as of then; in all_cycles how many had started.
with started as (
    select
        *,
        row_number() over (order by started_at desc, metric asc, cycle desc) as place,
        count(*) over () as all_cycles
    from mart.sla_clock
    where
        account = %(account)s
        and ticket_id = %(ticket_id)s
        and started_at <= %(as_of)s::timestamptz
),

asked as (
    select
        %(as_of)s::timestamptz as as_of,
        %(cycles)s::integer as cycles
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
    calendar.calendar,
    started.all_cycles
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
where
    asked.cycles is null
    or started.place <= asked.cycles
    or started.stopped_at is null
    or started.stopped_at > asked.as_of
order by started.place asc
