-- In: tickets, their events, status changes, refusals, alerts. Out: the activity history of every ticket.
create view mart.ticket_timeline as
with tickets as (
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

activities as (
    select * from told
    union all
    select * from happened_by_itself
    union all
    select * from alerted
)

select
    activities.account,
    activities.ticket_id,
    activities.at,
    activities.rank,
    activities.source_order,
    activities.source,
    activities.source_id,
    activities.what,
    activities.about,
    activities.actor,
    activities.is_automatic,
    change.status_before,
    change.status,
    change.is_within_sla,
    refusal.reason as refused
from activities
left join lateral (
    select
        min(status_change.status_before) as status_before,
        status_change.status,
        bool_and(status_change.is_within_sla) as is_within_sla
    from mart.status_change as status_change
    where
        status_change.account = activities.account
        and status_change.ticket_id = activities.ticket_id
        and status_change.changed_at = activities.at
        and status_change.cause = activities.what
    group by status_change.status
) as change on true
left join mart.ticket_refusal as refusal
    on
        activities.account = refusal.account
        and activities.source = refusal.source
        and activities.source_id = refusal.source_id;
comment on view mart.ticket_timeline is 'Activity history: every event of a ticket, what happened by itself, alerts. '
'Order by at, rank, source_order, source, source_id; newest first: descending. As of T: at <= T.';
comment on column mart.ticket_timeline.what is 'Kind of the event; auto_solve, auto_close; alert.';
comment on column mart.ticket_timeline.about is 'Type, order, other ticket, stakeholder, agent, kind of mail or level '
'of alert that it is about.';
comment on column mart.ticket_timeline.status_before is 'Null where the status did not change.';
comment on column mart.ticket_timeline.is_within_sla is 'Of a change: no clock that ran then had been breached.';
comment on column mart.ticket_timeline.refused is 'Why it had no effect: see mart.ticket_refusal.';
