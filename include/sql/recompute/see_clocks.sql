-- In: side (before, after), recomputed; mart.ticket, mart.sla_clock, mart.calendar. Out: seen_clock has the tickets'
-- cycles.
insert into seen_clock (
    side,
    account,
    ticket_id,
    ticket_key,
    metric,
    cycle,
    started_at,
    due_at,
    breached_at,
    stopped_at,
    stopped_by,
    target_seconds,
    policy,
    calendar,
    fingerprint,
    event_count
)
with seen as (
    select %(side)s::text as side
)

select
    seen.side,
    clock.account,
    clock.ticket_id,
    clock.ticket_key,
    clock.metric,
    clock.cycle,
    clock.started_at,
    clock.due_at,
    clock.breached_at,
    clock.stopped_at,
    clock.stopped_by,
    clock.target_seconds,
    clock.policy,
    calendar.calendar,
    calendar.fingerprint,
    ticket.event_count
from seen
cross join recomputed
inner join mart.sla_clock as clock
    on recomputed.account = clock.account and recomputed.ticket_key = clock.ticket_key
inner join mart.ticket as ticket on clock.account = ticket.account and clock.ticket_id = ticket.ticket_id
inner join mart.calendar as calendar on clock.calendar_id = calendar.calendar_id
