-- In: the timeline as of 0031. Out: what happened to a ticket can be read, and cut to a page, before what each activity
-- brought about is looked up: a ticket of a thousand activities has a million pairs of changes and clocks.

create view mart.ticket_activity as
with tickets as not materialized (
    select
        ticket.account,
        ticket.ticket_id,
        ticket.ticket_key,
        ticket.created_at,
        coalesce(follow_up.created_at, 'infinity') as until_at
    from mart.ticket as ticket
    left join mart.ticket as follow_up
        on
            ticket.account = follow_up.account
            and ticket.ticket_key = follow_up.ticket_key
            and ticket.generation + 1 = follow_up.generation
),

told as (
    select
        tickets.account,
        tickets.ticket_id,
        event.occurred_at as at,
        0 as rank,
        event.source_order,
        event.source,
        event.source_id,
        event.kind as what,
        event.actor,
        event.is_automatic,
        case event.kind
            when 'change_type' then event.ticket_type
            when 'attach_order' then event.order_id
            when 'detach_order' then event.order_id
            when 'merge' then event.detail ->> 'into'
            when 'unmerge' then event.detail ->> 'into'
            when 'hold' then event.detail ->> 'stakeholder'
            when 'assign' then event.detail ->> 'agent'
            else coalesce(event.detail ->> 'mail_kind', event.ticket_type)
        end as about
    from tickets
    inner join mart.ticket_event as event
        on
            tickets.account = event.account
            and tickets.ticket_key = event.ticket_key
            and tickets.created_at <= event.occurred_at
            and tickets.until_at > event.occurred_at
),

happened_by_itself as (
    select
        tickets.account,
        tickets.ticket_id,
        period.from_at as at,
        1 as rank,
        0 as source_order,
        'rules' as source,
        period.cause as source_id,
        period.cause as what,
        'rules' as actor,
        true as is_automatic,
        null::text as about
    from tickets
    inner join mart.ticket_status as period
        on tickets.account = period.account and tickets.ticket_id = period.ticket_id
    where period.cause in ('auto_solve', 'auto_close')
),

alerted as (
    select
        tickets.account,
        tickets.ticket_id,
        alert.raised_at as at,
        2 as rank,
        alert.cycle as source_order,
        'alerts' as source,
        alert.level || '/' || alert.recipient as source_id,
        'alert' as what,
        'rules' as actor,
        true as is_automatic,
        alert.level as about
    from tickets
    inner join ops.alert as alert on tickets.account = alert.account and tickets.ticket_id = alert.subject
),

acknowledged as (
    select
        tickets.account,
        tickets.ticket_id,
        fact.acknowledged_at as at,
        2 as rank,
        fact.cycle as source_order,
        'alerts' as source,
        fact.topic || '/' || fact.acknowledged_by as source_id,
        'acknowledge' as what,
        fact.acknowledged_by as actor,
        false as is_automatic,
        fact.topic as about
    from tickets
    inner join core.alert_acknowledgement as fact
        on tickets.account = fact.account and tickets.ticket_id = fact.ticket_id
)

select * from told
union all
select * from happened_by_itself
union all
select * from alerted
union all
select * from acknowledged;
comment on view mart.ticket_activity is 'What happened to each ticket: mart.ticket_timeline without what it brought '
'about.';

create function mart.outcome_of(activity mart.ticket_activity)
returns table (
    status_before text,
    status text,
    is_within_sla boolean,
    refused text
)
language sql stable rows 1
as $$
select
    case
        when change.status is not null then (
            select period.status from mart.ticket_status as period
            where
                period.account = activity.account
                and period.ticket_id = activity.ticket_id
                and period.from_at < activity.at
            order by period.from_at desc
            limit 1
        )
    end as status_before,
    change.status,
    case
        when change.status is not null then (
            select bool_and(clock.breached_at is null or clock.breached_at >= activity.at) from mart.sla_clock as clock
            where
                clock.account = activity.account
                and clock.ticket_id = activity.ticket_id
                and clock.started_at <= activity.at
                and (clock.stopped_at is null or clock.stopped_at >= activity.at)
        )
    end as is_within_sla,
    refusal.reason as refused
from (values (0)) as one (row)
left join mart.ticket_status as change
    on
        change.account = activity.account
        and change.ticket_id = activity.ticket_id
        and change.from_at = activity.at
        and change.cause = activity.what
left join mart.ticket_refusal as refusal
    on
        refusal.account = activity.account
        and refusal.source = activity.source
        and refusal.source_id = activity.source_id
$$;
comment on function mart.outcome_of is 'What an activity changed, as mart.status_change has it, and why it had no '
'effect.';

create or replace view mart.ticket_timeline as
select
    activity.account,
    activity.ticket_id,
    activity.at,
    activity.rank,
    activity.source_order,
    activity.source,
    activity.source_id,
    activity.what,
    activity.about,
    activity.actor,
    activity.is_automatic,
    outcome.status_before,
    outcome.status,
    outcome.is_within_sla,
    outcome.refused
from mart.ticket_activity as activity
left join lateral mart.outcome_of(activity) as outcome on true;
