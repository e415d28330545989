-- In: until; seen_period, seen_clock, core.ticket_event. Out: what recomputing changes, a row each: of which ticket,
-- what (status, clock, due, breach, stop), what it was and is (null: nothing), because of what, and which event it was
-- that began the period or the clock. Breaches from `until` on have not happened.
with periods_before as (
    select * from seen_period
    where side = 'before'
),

periods_after as (
    select * from seen_period
    where side = 'after'
),

clocks_before as (
    select
        *,
        case when breached_at < %(until)s::timestamptz then breached_at end as has_breached_at
    from seen_clock
    where side = 'before'
),

clocks_after as (
    select
        *,
        case when breached_at < %(until)s::timestamptz then breached_at end as has_breached_at
    from seen_clock
    where side = 'after'
),

periods as (
    select
        coalesce(was.account, now.account) as account,
        coalesce(was.ticket_id, now.ticket_id) as ticket_id,
        coalesce(was.ticket_key, now.ticket_key) as ticket_key,
        coalesce(was.from_at, now.from_at) as at,
        was.status || ' by ' || was.cause as before,
        now.status || ' by ' || now.cause as after,
        coalesce('auto_close' in (was.cause, now.cause), false) as is_closing,
        coalesce('auto_solve' in (was.cause, now.cause), false) as is_solving
    from periods_before as was
    full join periods_after as now
        on was.account = now.account and was.ticket_id = now.ticket_id and was.from_at = now.from_at
    where was.status is distinct from now.status or was.cause is distinct from now.cause
),

tickets as (
    select distinct
        side,
        account,
        ticket_id,
        ticket_key,
        event_count
    from seen_period
),

known as (
    select
        account,
        ticket_key,
        coalesce(sum(event_count) filter (where side = 'before'), 0)
        <> coalesce(sum(event_count) filter (where side = 'after'), 0) as has_news
    from tickets
    group by account, ticket_key
),

clocks as (
    select
        coalesce(was.account, now.account) as account,
        coalesce(was.ticket_id, now.ticket_id) as ticket_id,
        coalesce(was.ticket_key, now.ticket_key) as ticket_key,
        coalesce(was.metric, now.metric) as metric,
        coalesce(was.cycle, now.cycle) as cycle,
        coalesce(was.started_at, now.started_at) as at,
        fact.what,
        fact.before,
        fact.after,
        case
            when was.policy <> now.policy then 'policy ' || was.policy || ' -> ' || now.policy
            when was.calendar <> now.calendar then 'calendar ' || was.calendar || ' -> ' || now.calendar
            when was.target_seconds <> now.target_seconds
                then
                    'target of ' || now.policy || ' '
                    || make_interval(secs => was.target_seconds) || ' -> '
                    || make_interval(secs => now.target_seconds)
            when was.fingerprint <> now.fingerprint then 'hours of calendar ' || now.calendar
            when was.side is null then 'policy ' || now.policy
            when now.side is null then 'policy ' || was.policy
            else 'policy ' || now.policy || ', calendar ' || now.calendar
        end as rule,
        coalesce(
            was.policy = now.policy
            and was.calendar = now.calendar
            and was.fingerprint = now.fingerprint
            and coalesce(was.target_seconds, -1) = coalesce(now.target_seconds, -1),
            false
        ) as is_by_one_rule
    from clocks_before as was
    full join clocks_after as now
        on
            was.account = now.account
            and was.ticket_id = now.ticket_id
            and was.metric = now.metric
            and was.cycle = now.cycle
    cross join
        lateral (
            values
            (
                'clock',
                case
                    when was.side is not null then to_char(was.started_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS')
                end,
                case
                    when now.side is not null then to_char(now.started_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS')
                end
            ),
            (
                'due',
                to_char(was.due_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
                to_char(now.due_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS')
            ),
            (
                'breach',
                to_char(was.has_breached_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
                to_char(now.has_breached_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS')
            ),
            (
                'stop',
                to_char(was.stopped_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' by ' || was.stopped_by,
                to_char(now.stopped_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' by ' || now.stopped_by
            )
        ) as fact (what, before, after)
    where fact.before is distinct from fact.after
),

moved as (
    select distinct
        account,
        ticket_id
    from periods
),

changes as (
    select
        periods.account,
        periods.ticket_id,
        periods.ticket_key,
        'status' as what,
        null as metric,
        null::integer as cycle,
        periods.at,
        periods.before,
        periods.after,
        case
            when known.has_news then 'events that had not been folded'
            when periods.is_closing then 'close_after_solved'
            when periods.is_solving then 'solve_after_silence'
            else 'rules of statuses'
        end as because
    from periods
    inner join known on periods.account = known.account and periods.ticket_key = known.ticket_key
    union all
    select
        clocks.account,
        clocks.ticket_id,
        clocks.ticket_key,
        clocks.what,
        clocks.metric,
        clocks.cycle,
        clocks.at,
        clocks.before,
        clocks.after,
        case
            when known.has_news then 'events that had not been folded'
            when not clocks.is_by_one_rule then clocks.rule
            when moved.account is not null then 'its status'
            else 'pauses or stops of ' || clocks.rule
        end as because
    from clocks
    inner join known on clocks.account = known.account and clocks.ticket_key = known.ticket_key
    left join moved on clocks.account = moved.account and clocks.ticket_id = moved.ticket_id
)

select
    changes.account,
    changes.ticket_id,
    changes.what,
    changes.metric,
    changes.cycle,
    changes.at,
    changes.before,
    changes.after,
    changes.because,
    event.name as event
from changes
left join lateral (
    select told.kind || ' ' || told.source || ' ' || told.source_id as name
    from core.ticket_event as told
    where
        told.account = changes.account
        and told.ticket_key = changes.ticket_key
        and told.occurred_at = changes.at
    order by told.source_order, told.source, told.source_id
    limit 1
) as event on true
order by changes.account, changes.ticket_id, changes.at, changes.metric, changes.cycle, changes.what
