-- In: batch_ticket, batch_subject; mart.sla_clock, mart.sla_pause, mart.ticket_status, mart.ticket_event. Out:
-- temporary table batch_cycle, as mart.compliance_cycle should be of these tickets.
create temporary table batch_cycle on commit drop as
with clocks as (
    select
        clock.account,
        clock.ticket_id,
        clock.metric,
        clock.cycle,
        clock.started_at,
        clock.stopped_at,
        clock.stopped_by,
        clock.breached_at,
        clock.elapsed_seconds,
        clock.pauses,
        coalesce(clock.stopped_by in ('close', 'merge'), false) as is_cancelled
    from batch_ticket
    inner join mart.sla_clock as clock
        on batch_ticket.account = clock.account and batch_ticket.ticket_key = clock.ticket_key
),

rests as (
    select
        clocks.account,
        clocks.ticket_id,
        clocks.metric,
        clocks.cycle,
        range_agg(tstzrange(pause.from_at, pause.until_at)) as rests
    from clocks
    inner join mart.sla_pause as pause
        on
            clocks.account = pause.account
            and clocks.ticket_id = pause.ticket_id
            and clocks.metric = pause.metric
            and clocks.cycle = pause.cycle
    where clocks.pauses > 0 and pause.is_rest
    group by clocks.account, clocks.ticket_id, clocks.metric, clocks.cycle
),

periods as (
    select
        period.account,
        period.ticket_id,
        period.from_at,
        period.cause,
        period.status in ('solved', 'closed') as is_done,
        lag(period.status in ('solved', 'closed')) over (
            partition by period.account, period.ticket_id order by period.from_at
        ) as was_done
    from batch_ticket
    inner join mart.ticket_status as period
        on batch_ticket.account = period.account and batch_ticket.ticket_key = period.ticket_key
),

turns as (
    select
        *,
        lead(from_at) over (partition by account, ticket_id order by from_at) as ended_at,
        lead(cause) over (partition by account, ticket_id order by from_at) as ended_by,
        lead(from_at, 2) over (partition by account, ticket_id order by from_at) is not null as is_reopened
    from periods
    where is_done is distinct from was_done
),

cycles as (
    select
        clocks.account,
        clocks.ticket_id,
        clocks.metric,
        clocks.cycle,
        clocks.started_at,
        clocks.stopped_at,
        clocks.stopped_by,
        rests.rests,
        case when not clocks.is_cancelled then clocks.breached_at end as breached_at,
        case when not clocks.is_cancelled then clocks.stopped_at end as ended_at,
        case when not clocks.is_cancelled and clocks.stopped_at is not null then clocks.breached_at is null end
            as is_met,
        null::boolean as is_reopened,
        case when not clocks.is_cancelled then clocks.elapsed_seconds end as elapsed_seconds
    from clocks
    left join rests
        on
            clocks.account = rests.account
            and clocks.ticket_id = rests.ticket_id
            and clocks.metric = rests.metric
            and clocks.cycle = rests.cycle
    union all
    select
        account,
        ticket_id,
        'ticket' as metric,
        row_number() over (partition by account, ticket_id order by from_at) as cycle,
        from_at as started_at,
        ended_at as stopped_at,
        ended_by as stopped_by,
        null as rests,
        null as breached_at,
        ended_at,
        null as is_met,
        case when ended_at is not null then is_reopened end as is_reopened,
        extract(epoch from ended_at - from_at) as elapsed_seconds
    from turns
    where not is_done
),

-- Mail copies and Amazon tell that somebody answered, not who.
events as (
    select
        account,
        ticket_key,
        occurred_at,
        kind,
        (array_agg(actor order by source_order, source collate "C", source_id collate "C"))[1] as actor
    from mart.ticket_event
    where
        (account, ticket_key) in (
            select
                batch_ticket.account,
                batch_ticket.ticket_key
            from batch_ticket
        )
        and actor not in ('seller', 'buyer', 'amazon')
    group by account, ticket_key, occurred_at, kind
)

select
    batch_subject.account,
    batch_subject.ticket_id,
    batch_subject.ticket_key,
    cycles.metric,
    cycles.cycle::integer as cycle,
    batch_subject.marketplace,
    batch_subject.desk,
    batch_subject.team,
    batch_subject.ticket_type,
    coalesce(events.actor, 'unknown') as agent,
    cycles.started_at,
    case
        when cycles.started_at < batch_subject.live_since then cycles.started_at
        when cycles.started_at > batch_subject.closed_at then cycles.started_at
        else coalesce(least(cycles.stopped_at, batch_subject.closed_at), 'infinity')
    end as waiting_until,
    cycles.rests,
    cycles.breached_at,
    cycles.ended_at,
    cycles.is_met,
    cycles.is_reopened,
    cycles.elapsed_seconds,
    extract(epoch from cycles.ended_at - cycles.started_at) as response_seconds
from cycles
inner join batch_subject on cycles.account = batch_subject.account and cycles.ticket_id = batch_subject.ticket_id
left join events
    on
        batch_subject.account = events.account
        and batch_subject.ticket_key = events.ticket_key
        and cycles.ended_at = events.occurred_at
        and cycles.stopped_by = events.kind
