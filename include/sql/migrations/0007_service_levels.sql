-- In: the tickets and reply clocks of 0001. Out: calendars as rows with functions that count in them, clocks of
-- every metric with their interruptions, and what each status change meant for the service levels.

---------- calendars

create table mart.calendar (
    calendar_id integer generated always as identity primary key,
    calendar text not null unique,
    fingerprint text not null,
    known_from date,
    known_until date
);
comment on table mart.calendar is 'Versions of the calendars of policies.yaml whose hours are in mart.calendar_open. '
'Calendar 0, 24x7, needs no rows.';
comment on column mart.calendar.fingerprint is 'Of the definition: hours made from another one are made anew.';
comment on column mart.calendar.known_until is 'The hours of the local days from known_from up to this one are there.';
insert into mart.calendar (calendar_id, calendar, fingerprint, known_from, known_until)
overriding system value values (0, '24x7', '', '-infinity', 'infinity');

create table mart.calendar_open (
    calendar_id integer not null references mart.calendar on delete cascade,
    opens_at timestamptz not null,
    closes_at timestamptz not null,
    seconds_before bigint not null,
    seconds_until bigint not null,
    primary key (calendar_id, opens_at)
);
create unique index calendar_open_seconds on mart.calendar_open (calendar_id, seconds_until);
comment on table mart.calendar_open is 'When a calendar is open, [opens_at, closes_at), without overlap.';
comment on column mart.calendar_open.seconds_before is 'Open seconds from an arbitrary instant to opens_at; only '
'differences mean something.';
comment on column mart.calendar_open.seconds_until is 'Open seconds from the same instant to closes_at.';

create function mart.business_elapsed(in_calendar integer, start_at timestamptz, end_at timestamptz)
returns table (seconds numeric)
language sql stable parallel safe rows 1
as $$
select case
    when in_calendar = 0 or end_at <= start_at then greatest(extract(epoch from end_at - start_at), 0)
    else (
        select ended.seconds_before + extract(epoch from least(end_at, ended.closes_at) - ended.opens_at)
        from mart.calendar_open as ended
        where ended.calendar_id = in_calendar and ended.opens_at <= end_at
        order by ended.opens_at desc
        limit 1
    ) - (
        select began.seconds_before + extract(epoch from least(start_at, began.closes_at) - began.opens_at)
        from mart.calendar_open as began
        where began.calendar_id = in_calendar and began.opens_at <= start_at
        order by began.opens_at desc
        limit 1
    )
end
$$;
comment on function mart.business_elapsed is 'Open seconds between two instants; 0 if they are the wrong way round, '
'null where the hours are not known.';

create function mart.business_due(in_calendar integer, start_at timestamptz, open_seconds numeric)
returns table (due_at timestamptz)
language sql stable parallel safe rows 1
as $$
select case
    when in_calendar = 0 or open_seconds <= 0
        then start_at + make_interval(secs => greatest(open_seconds, 0)::double precision)
    else (
        select due.opens_at + make_interval(secs => (goal.seconds - due.seconds_before)::double precision)
        from (
            select
                began.seconds_before + extract(epoch from least(start_at, began.closes_at) - began.opens_at)
                + open_seconds as seconds
            from mart.calendar_open as began
            where began.calendar_id = in_calendar and began.opens_at <= start_at
            order by began.opens_at desc
            limit 1
        ) as goal
        cross join lateral (
            select
                ended.opens_at,
                ended.seconds_before
            from mart.calendar_open as ended
            where ended.calendar_id = in_calendar and ended.seconds_until >= goal.seconds
            order by ended.seconds_until
            limit 1
        ) as due
    )
end
$$;
comment on function mart.business_due is 'The first instant from start_at on when so many seconds have been open: '
'the closing time, where they end with it. Null where the hours are not known.';

---------- facts that the clocks read of events

create index ticket_event_deadline on core.ticket_event (account, ticket_key) where detail ? 'deadline';
create index ticket_event_priority on core.ticket_event (account, ticket_key) where detail ? 'priority';
comment on column core.ticket_event.detail is 'Never personal data. delivery_failure: {"reply": source_id it names}. '
'A notice that asks for something by a date: {"deadline": ISO instant}. Whoever sets a priority: {"priority": low, '
'normal, high or urgent}; until then a ticket is normal.';

---------- clocks

alter table mart.sla_clock
alter column warn_at drop not null,
alter column due_at drop not null,
add column target_seconds bigint,
add column warn_before_seconds bigint not null default 0,
add column elapsed_seconds numeric,
add column paused_seconds numeric not null default 0,
add column breached_at timestamptz,
add column pauses integer not null default 0,
add column policy text not null default 'default',
add column calendar_id integer not null default 0;
comment on table mart.sla_clock is 'One cycle of one service level. Known beyond today: as of T it is stopped if '
'stopped_at <= T, breached if breached_at < T; mart.clock_at gives the rest.';
comment on column mart.sla_clock.due_at is 'After the last pause; null while a pause has no end.';
comment on column mart.sla_clock.warn_at is 'due_at less the longest warn_before of the policy.';
comment on column mart.sla_clock.stopped_by is 'Kind of the event that stopped it, or auto_solve, auto_close.';
comment on column mart.sla_clock.target_seconds is 'Seconds of the calendar allowed; null: due on a date that was '
'told.';
comment on column mart.sla_clock.elapsed_seconds is 'Seconds of the calendar counted until it stopped; null while it '
'runs.';
comment on column mart.sla_clock.paused_seconds is 'Seconds, of any hour, in pauses that have an end.';
comment on column mart.sla_clock.breached_at is 'The due instant, if the clock ran beyond it; later than today: if '
'nothing stops it.';
comment on column mart.sla_clock.pauses is 'How many rows of mart.sla_pause belong to it.';
comment on column mart.sla_clock.policy is 'Name and version of the policy in force when it started.';
comment on column mart.sla_clock.calendar_id is 'Version of the calendar in force when it started.';

create table mart.sla_pause (
    account text not null,
    ticket_id text not null,
    ticket_key text not null,
    metric text not null,
    cycle integer not null,
    from_at timestamptz not null,
    until_at timestamptz not null,
    is_rest boolean not null,
    cause text not null,
    elapsed_seconds numeric not null,
    paused_before_seconds numeric not null,
    due_at timestamptz not null,
    primary key (account, ticket_id, metric, cycle, from_at)
);
create index sla_pause_by_key on mart.sla_pause (account, ticket_key);
comment on table mart.sla_pause is 'Stretches [from_at, until_at) of a cycle in which nothing was counted.';
comment on column mart.sla_pause.is_rest is 'True: the clock was stopped (solved) and later went on (reopened).';
comment on column mart.sla_pause.cause is 'Kind of the event that began it, or auto_solve, auto_close.';
comment on column mart.sla_pause.elapsed_seconds is 'Seconds of the calendar counted before from_at.';
comment on column mart.sla_pause.paused_before_seconds is 'Seconds, of any hour, in earlier rows of the cycle.';
comment on column mart.sla_pause.due_at is 'When the clock would have been due without this row.';

create function mart.clock_at(clock mart.sla_clock, as_of timestamptz)
returns table (
    due_at timestamptz,
    warn_at timestamptz,
    stopped_at timestamptz,
    stopped_by text,
    elapsed_seconds numeric,
    paused_seconds numeric,
    breached_at timestamptz,
    seconds_left bigint,
    state text
)
language sql stable parallel safe rows 1
as $$
with latest as (
    select
        pause.from_at,
        pause.until_at,
        pause.cause,
        pause.elapsed_seconds,
        pause.paused_before_seconds,
        pause.due_at,
        pause.until_at > as_of and pause.is_rest as is_resting,
        pause.until_at > as_of and not pause.is_rest and (clock.stopped_at is null or clock.stopped_at > as_of)
            as is_paused
    from mart.sla_pause as pause
    where
        clock.pauses > 0
        and pause.account = clock.account
        and pause.ticket_id = clock.ticket_id
        and pause.metric = clock.metric
        and pause.cycle = clock.cycle
        and pause.from_at <= as_of
    order by pause.from_at desc
    limit 1
),

now_known as (
    select
        case
            when latest.is_resting then latest.from_at
            when clock.stopped_at <= as_of then clock.stopped_at
        end as stopped_at,
        case
            when latest.is_resting then latest.cause
            when clock.stopped_at <= as_of then clock.stopped_by
        end as stopped_by,
        case when clock.breached_at < as_of then clock.breached_at end as breached_at,
        coalesce(latest.is_paused, false) as is_paused,
        coalesce(latest.is_resting, false) as is_resting,
        latest.due_at as due_before,
        case
            when latest.is_paused then as_of
            else coalesce(latest.until_at, clock.started_at)
        end as runs_from,
        coalesce(latest.elapsed_seconds, 0) as elapsed_before,
        coalesce(latest.paused_before_seconds, 0) + case
            when latest.is_resting or latest.from_at is null then 0
            else extract(epoch from least(latest.until_at, as_of) - latest.from_at)
        end as paused_seconds
    from (values (0)) as one (row)
    left join latest on true
),

timed as (
    select
        now_known.*,
        now_known.elapsed_before + ran.seconds as elapsed_seconds,
        coalesce(
            now_known.breached_at,
            case when now_known.is_resting then now_known.due_before end,
            case when clock.pauses = 0 then clock.due_at end,
            due.due_at
        ) as due_at
    from now_known
    cross join lateral mart.business_elapsed(
        clock.calendar_id,
        now_known.runs_from,
        case when now_known.is_resting then now_known.runs_from else coalesce(now_known.stopped_at, as_of) end
    ) as ran
    cross join lateral mart.business_due(
        clock.calendar_id, now_known.runs_from, clock.target_seconds - now_known.elapsed_before
    ) as due
),

warned as (
    select
        *,
        due_at - make_interval(secs => clock.warn_before_seconds) as warn_at
    from timed
)

select
    due_at,
    warn_at,
    stopped_at,
    stopped_by,
    elapsed_seconds,
    paused_seconds,
    breached_at,
    floor(extract(epoch from due_at - coalesce(stopped_at, as_of)))::bigint as seconds_left,
    case
        when stopped_by in ('close', 'merge') then 'cancelled'
        when stopped_at is not null and breached_at is not null then 'breached_met_late'
        when stopped_at is not null then 'met'
        when breached_at is not null then 'breached_open'
        when is_paused then 'paused'
        when as_of >= warn_at then 'at_risk'
        else 'running'
    end as state
from warned
$$;
comment on function mart.clock_at is 'A clock that had started by then, as of an instant. due_at: while paused, as if '
'it went on at once; once breached, the instant that was missed. elapsed_seconds: of the calendar. seconds_left: '
'whole seconds until due (of a stopped one: that were left when it stopped), rounded down, negative once breached.';

create view mart.status_change as
with periods as (
    select
        account,
        ticket_id,
        ticket_key,
        from_at,
        status,
        cause,
        lag(status) over (partition by account, ticket_id order by from_at) as status_before
    from mart.ticket_status
)

select
    periods.account,
    periods.ticket_id,
    periods.ticket_key,
    periods.from_at as changed_at,
    periods.status_before,
    periods.status,
    periods.cause,
    clock.metric,
    clock.cycle,
    clock.policy,
    calendar.calendar,
    clock.started_at,
    then_known.due_at,
    then_known.elapsed_seconds,
    case when clock.account is not null then then_known.breached_at is null end as is_within_sla
from periods
left join mart.sla_clock as clock
    on
        periods.account = clock.account
        and periods.ticket_id = clock.ticket_id
        and periods.from_at >= clock.started_at
        and (clock.stopped_at is null or periods.from_at <= clock.stopped_at)
left join mart.calendar as calendar on clock.calendar_id = calendar.calendar_id
left join lateral mart.clock_at(clock, periods.from_at) as then_known on clock.account is not null;
comment on view mart.status_change is 'Every status change with each clock that ran then or that it stopped: policy '
'and calendar version, seconds counted, due, and whether it was within the service level. metric is null where no '
'clock ran.';

-- Clocks of the other metrics, and what the new columns say, come with the next fold.
insert into ops.ticket_touched (account, ticket_key)
select distinct
    account,
    ticket_key
from mart.ticket
on conflict (account, ticket_key) do nothing;
