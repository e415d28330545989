-- In: as_of, ladder (agent, rung, recipient: 0 the agent, 1 leads, 2 manager; only who is on duty), steps (policy,
-- step, after, told: addresses), ship_soon, deadline_soon (spans); mart.worklist_item of that instant, mart.sla_clock,
-- core.alert_acknowledgement. Out: ops.alert, one row a person and ticket or order that is at risk, breached or still
-- breached as of then; returned are those the person has not been told,
-- and when each was or is due.
-- Somebody without work in progress is never told of it: the worklist says whose a ticket is. Where none of them is on
-- duty, their leads are told. Whoever acknowledged a breach stops its ladder.
with ladder as (
    select
        place.agent,
        place.rung,
        place.recipient
    from jsonb_to_recordset(%(ladder)s::jsonb) as place (agent text, rung integer, recipient text)
),

steps as (
    select
        step.policy,
        step.step,
        step.after,
        step.told,
        case when step.step = 1 then array[0, 1] else array[1, 2] end as rungs
    from jsonb_to_recordset(%(steps)s::jsonb) as step (policy text, step integer, after interval, told text[])
),

work as (
    select * from mart.worklist_item
    where as_of = %(as_of)s::timestamptz
),

clocks as (
    select
        *,
        due_at < %(as_of)s::timestamptz as is_late,
        case when metric = 'amazon_reply' then 'reply' else 'deadline' end as topic,
        extract(epoch from %(as_of)s::timestamptz - due_at) as late_seconds
    from mart.sla_clock
    where
        metric in ('amazon_reply', 'notification_deadline', 'a_to_z_deadline')
        and started_at <= %(as_of)s::timestamptz
        and (stopped_at is null or stopped_at > %(as_of)s::timestamptz)
        and (
            warn_at <= %(as_of)s::timestamptz
            or (metric <> 'amazon_reply' and due_at <= %(as_of)s::timestamptz + %(deadline_soon)s::interval)
        )
),

shipments as (
    select
        *,
        due_at < %(as_of)s::timestamptz as is_late
    from mart.worklist_item
    where
        as_of = %(as_of)s::timestamptz
        and section = 'orders_to_ship'
        and due_at <= %(as_of)s::timestamptz + %(ship_soon)s::interval
),

acknowledged as (
    select * from core.alert_acknowledgement
    where acknowledged_at <= %(as_of)s::timestamptz
),

-- Who has which urgent subject.
held as (
    select distinct
        work.account,
        clock.topic,
        work.ticket_id as subject,
        clock.cycle,
        clock.policy,
        clock.due_at,
        clock.is_late,
        clock.late_seconds,
        work.agent,
        work.as_of
    from work
    inner join clocks as clock
        on work.account = clock.account and work.ticket_id = clock.ticket_id
    where clock.topic = 'deadline' or (work.section = 'reply_now' and work.due_at is not null)
    union all
    select
        account,
        'shipment' as topic,
        order_id as subject,
        1 as cycle,
        null as policy,
        due_at,
        is_late,
        null as late_seconds,
        agent,
        as_of
    from shipments
),

covered as (
    select
        held.account,
        held.topic,
        held.subject,
        held.cycle,
        bool_or(ladder.agent is not null) as is_covered
    from held
    left join ladder on held.agent = ladder.agent and ladder.rung = 0
    group by held.account, held.topic, held.subject, held.cycle
),

levels as (
    select
        held.account,
        held.topic,
        held.subject,
        held.cycle,
        held.agent,
        held.as_of,
        case when held.is_late then 'breached' else 'at_risk' end as level,
        case when covered.is_covered then array[0] else array[1] end as rungs,
        array[]::text[] as told
    from held
    inner join covered
        on
            held.account = covered.account
            and held.topic = covered.topic
            and held.subject = covered.subject
            and held.cycle = covered.cycle
    union all
    select
        held.account,
        held.topic,
        held.subject,
        held.cycle,
        held.agent,
        held.as_of,
        'still_breached_' || steps.step as level,
        steps.rungs,
        steps.told
    from held
    inner join steps on held.policy = steps.policy and held.late_seconds >= extract(epoch from steps.after)
    where
        not exists (
            select 1 from acknowledged
            where
                acknowledged.account = held.account
                and acknowledged.topic = held.topic
                and acknowledged.ticket_id = held.subject
                and acknowledged.cycle = held.cycle
                and acknowledged.acknowledged_at >= held.due_at
        )
),

alerts as (
    select
        levels.account,
        levels.topic,
        levels.subject,
        levels.cycle,
        levels.level,
        ladder.recipient,
        levels.as_of as raised_at
    from levels
    inner join ladder on levels.agent = ladder.agent and ladder.rung = any(levels.rungs)
    union
    select
        levels.account,
        levels.topic,
        levels.subject,
        levels.cycle,
        levels.level,
        address as recipient,
        levels.as_of as raised_at
    from levels
    cross join unnest(levels.told) as address
),

told as (
    insert into ops.alert (
        account,
        topic,
        subject,
        cycle,
        level,
        recipient,
        raised_at
    )
    select * from alerts
    order by recipient, account, topic, subject, level
    on conflict (account, topic, subject, cycle, level, recipient) do nothing
    returning account, topic, subject, cycle, level, recipient
)

select distinct
    told.account,
    told.topic,
    told.subject,
    told.cycle,
    told.level,
    told.recipient,
    held.due_at
from told
inner join held
    on
        told.account = held.account
        and told.topic = held.topic
        and told.subject = held.subject
        and told.cycle = held.cycle
