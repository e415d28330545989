-- In: the tables behind the pages. Out: indexes for what the pages ask, so that a page costs the same with five million
-- tickets in store; the timeline of one ticket without a look at the others.

create index feedback_newest on core.feedback (rated_on desc, account, order_id);
create index batch_landed on ops.batch (landed_at);
create index outbox_written on pii.outbox (written_at);
create index batch_waits_for_person on ops.batch (account, dataset)
where rejected_because is not null and discarded_at is null;
-- Of these few are not done, among very many others that are not done either.
create index ticket_of_amazons on mart.ticket (ticket_type, account, ticket_id)
where ticket_type in ('performance_notification', 'case_update');
create index compliance_metric on mart.compliance (metric, starts_on) where period = 'day';

-- Of the periods that are not done few last beyond now, of the others all do.
create statistics mart.ticket_status_not_done
on (case when status in ('new', 'open', 'pending', 'on_hold') then until_at end)
from mart.ticket_status;
analyze mart.ticket_status;

---------- the activity history: each part looks up its ticket, and the status changes are found once, not once a line

create or replace view mart.ticket_timeline as
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
),

activities as (
    select * from told
    union all
    select * from happened_by_itself
    union all
    select * from alerted
    union all
    select * from acknowledged
),

changes as (
    select
        account,
        ticket_id,
        changed_at,
        cause,
        status,
        min(status_before) as status_before,
        bool_and(is_within_sla) as is_within_sla
    from mart.status_change
    group by account, ticket_id, changed_at, cause, status
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
left join changes as change
    on
        activities.account = change.account
        and activities.ticket_id = change.ticket_id
        and activities.at = change.changed_at
        and activities.what = change.cause
left join mart.ticket_refusal as refusal
    on
        activities.account = refusal.account
        and activities.source = refusal.source
        and activities.source_id = refusal.source_id;
