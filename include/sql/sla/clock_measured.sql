-- In: batch_key, batch_subject, batch_rule, batch_period, batch_exchange, batch_event, batch_transition,
-- core.ticket_event. Out: temporary table batch_measured: what begins each cycle of every metric, and the event that
-- ends it, with the rule in force when it started. The ticket's status is not looked at yet.
create temporary table batch_measured on commit drop as
with events as (
    select
        batch_event.ticket_no,
        transition.generation,
        batch_event.occurred_at,
        batch_event.kind,
        batch_event.source_id
    from batch_event
    inner join batch_transition as transition
        on batch_event.ticket_no = transition.ticket_no and batch_event.position = transition.position
    where not transition.is_void
),

undecided as (
    select
        batch_period.*,
        lag(batch_period.until_at) over (
            partition by batch_period.ticket_no, batch_period.generation order by batch_period.from_at
        ) as until_before
    from batch_period
    inner join batch_subject
        on batch_period.ticket_no = batch_subject.ticket_no and batch_period.generation = batch_subject.generation
    where batch_period.status in ('new', 'open') and batch_subject.ticket_type = 'unknown_mail'
),

undecided_stretches as (
    select
        *,
        count(*) filter (where until_before is distinct from from_at) over (
            partition by ticket_no, generation order by from_at
        ) as stretch
    from undecided
),

movements as (
    select distinct
        events.ticket_no,
        events.generation,
        events.occurred_at,
        last_value(events.kind) over (
            partition by events.ticket_no, events.generation, events.occurred_at
            order by events.source_id range between unbounded preceding and unbounded following
        ) as kind
    from events
    inner join batch_subject
        on events.ticket_no = batch_subject.ticket_no and events.generation = batch_subject.generation
    inner join batch_period
        on
            events.ticket_no = batch_period.ticket_no
            and events.generation = batch_period.generation
            and events.occurred_at >= batch_period.from_at
            and events.occurred_at < batch_period.until_at
    where batch_subject.ticket_type = 'case_update' and batch_period.status not in ('solved', 'closed')
),

told_dates as (
    select
        batch_key.ticket_no,
        event.occurred_at,
        event.source_id,
        ops.instant(event.detail ->> 'deadline') as deadline_at
    from batch_key
    inner join core.ticket_event as event
        on batch_key.account = event.account and batch_key.ticket_key = event.ticket_key
    where event.detail ? 'deadline'
),

deadlines as (
    select
        events.ticket_no,
        events.generation,
        events.occurred_at,
        events.kind,
        min(told_dates.deadline_at) as deadline_at
    from told_dates
    inner join events
        on
            told_dates.ticket_no = events.ticket_no
            and told_dates.occurred_at = events.occurred_at
            and told_dates.source_id = events.source_id
    where told_dates.deadline_at is not null
    group by events.ticket_no, events.generation, events.occurred_at, events.kind
),

priorities as (
    select
        batch_key.ticket_no,
        event.occurred_at,
        event.source_order,
        event.source,
        event.source_id,
        event.detail ->> 'priority' as priority
    from batch_key
    inner join core.ticket_event as event
        on batch_key.account = event.account and batch_key.ticket_key = event.ticket_key
    where event.detail ? 'priority'
),

told_priorities as (
    select
        ticket_no,
        occurred_at,
        priority,
        lead(occurred_at, 1, 'infinity') over (
            partition by ticket_no order by occurred_at, source_order, source collate "C", source_id collate "C"
        ) as until_at
    from priorities
    where priority in ('low', 'normal', 'high', 'urgent')
),

begun as (
    select
        ticket_no,
        generation,
        'exchange' as begins_with,
        cycle,
        started_at,
        stopped_at,
        stopped_by,
        null::timestamptz as deadline_at
    from batch_exchange
    union all
    select
        ticket_no,
        generation,
        'creation' as begins_with,
        1 as cycle,
        created_at as started_at,
        null as stopped_at,
        null as stopped_by,
        null as deadline_at
    from batch_subject
    union all
    select
        ticket_no,
        generation,
        'on_hold' as begins_with,
        row_number() over (partition by ticket_no, generation order by from_at) as cycle,
        from_at as started_at,
        nullif(until_at, 'infinity') as stopped_at,
        next_cause as stopped_by,
        null as deadline_at
    from batch_period
    where status = 'on_hold'
    union all
    select
        ticket_no,
        generation,
        'undecided' as begins_with,
        stretch as cycle,
        min(from_at) as started_at,
        nullif(max(until_at), 'infinity') as stopped_at,
        (array_agg(next_cause order by from_at desc))[1] as stopped_by,
        null as deadline_at
    from undecided_stretches
    group by ticket_no, generation, stretch
    union all
    select
        ticket_no,
        generation,
        'movement' as begins_with,
        row_number() over (partition by ticket_no, generation order by occurred_at) as cycle,
        occurred_at as started_at,
        lead(occurred_at) over (partition by ticket_no, generation order by occurred_at) as stopped_at,
        lead(kind) over (partition by ticket_no, generation order by occurred_at) as stopped_by,
        null as deadline_at
    from movements
    union all
    select
        ticket_no,
        generation,
        'deadline' as begins_with,
        row_number() over (partition by ticket_no, generation order by occurred_at, deadline_at) as cycle,
        occurred_at as started_at,
        lead(occurred_at) over (partition by ticket_no, generation order by occurred_at, deadline_at) as stopped_at,
        lead(kind) over (partition by ticket_no, generation order by occurred_at, deadline_at) as stopped_by,
        deadline_at
    from deadlines
),

measured as (
    select
        begun.ticket_no,
        begun.generation,
        batch_rule.metric,
        begun.cycle,
        begun.started_at,
        begun.stopped_at,
        begun.stopped_by,
        begun.deadline_at,
        batch_rule.policy,
        batch_rule.calendar_id,
        batch_rule.target_seconds,
        batch_rule.warn_before_seconds,
        batch_rule.pauses_in,
        batch_rule.stops_in,
        batch_rule.rests_in
    from begun
    inner join batch_subject
        on begun.ticket_no = batch_subject.ticket_no and begun.generation = batch_subject.generation
    left join told_priorities
        on
            begun.ticket_no = told_priorities.ticket_no
            and begun.started_at >= told_priorities.occurred_at
            and begun.started_at < told_priorities.until_at
    inner join batch_rule
        on
            batch_subject.versions = batch_rule.versions
            and begun.begins_with = batch_rule.begins_with
            and coalesce(told_priorities.priority, 'normal') = batch_rule.priority
            and begun.started_at >= batch_rule.era_from
            and begun.started_at < batch_rule.era_until
            and begun.cycle >= batch_rule.first_cycle
            and (batch_rule.last_cycle is null or begun.cycle <= batch_rule.last_cycle)
            and (batch_rule.ticket_types is null or batch_subject.ticket_type = any(batch_rule.ticket_types))
)

select * from measured
