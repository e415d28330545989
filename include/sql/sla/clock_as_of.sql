-- In: as_of; mart.sla_clock. Out: every cycle that had started then, with its state and the seconds left
-- until due (of a stopped one: that were left when it stopped). Stopping or asking exactly at due is in time;
-- seconds are rounded down, so that they are negative exactly when the cycle is breached.
with clocks as (
    select
        account,
        ticket_id,
        ticket_key,
        metric,
        cycle,
        started_at,
        warn_at,
        due_at,
        case when stopped_at <= %(as_of)s::timestamptz then stopped_at end as stopped_at,
        case when stopped_at <= %(as_of)s::timestamptz then stopped_by end as stopped_by
    from mart.sla_clock
    where started_at <= %(as_of)s::timestamptz
),

states as (
    select
        *,
        case
            when stopped_at <= due_at then 'met'
            when stopped_at > due_at then 'breached_met_late'
            when %(as_of)s::timestamptz > due_at then 'breached_open'
            when %(as_of)s::timestamptz >= warn_at then 'at_risk'
            else 'running'
        end as state,
        floor(
            extract(epoch from due_at - coalesce(stopped_at, %(as_of)s::timestamptz))
        )::bigint as seconds_left
    from clocks
)

select * from states
order by account, ticket_id, metric, cycle
