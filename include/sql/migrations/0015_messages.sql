-- In: the outbox of 0001. Out: messages by several channels, a hold on all sending.

alter table ops.outbox
add column channel text not null default 'email' check (channel in ('email', 'chat', 'text')),
add column cancelled_at timestamptz;
alter table ops.outbox add column state text generated always as (
    case
        when sent_at is not null then 'sent'
        when cancelled_at is not null then 'cancelled'
        when dead_at is not null then 'dead'
        else 'waiting'
    end
) stored;
drop index ops.outbox_waiting;
create index outbox_waiting on ops.outbox (channel, recipient, outbox_id) where state = 'waiting';
create index outbox_dead on ops.outbox (dead_at) where state = 'dead';
comment on column ops.outbox.recipient is 'email: the address, or the name of an agent who has none (yet). chat, text: '
'id of the Airflow connection that leads there.';
comment on column ops.outbox.message_id is 'Of an e-mail: the same at each attempt, so that a second copy is known.';
comment on column ops.outbox.available_at is 'Not sent before it.';
comment on column ops.outbox.attempts is 'How often it was offered to the recipient''s server.';
comment on column ops.outbox.last_error is 'What the server said last, without addresses.';
comment on column ops.outbox.dead_at is 'Given up: refused for good, or tried too often.';
comment on column ops.outbox.cancelled_at is 'A person wanted it not to be sent.';
comment on column ops.outbox.state is 'waiting, sent, dead or cancelled.';

create table ops.sending_hold (
    held_at timestamptz primary key,
    reason text not null,
    lifted_at timestamptz
);
create unique index sending_hold_now on ops.sending_hold ((true)) where lifted_at is null;
comment on table ops.sending_hold is 'While one is not lifted nothing is sent; messages go on to be queued.';

---------- who was told what

alter table ops.alert
add column topic text not null default 'reply',
drop constraint alert_level_check,
drop constraint alert_pkey;
update ops.alert set topic = 'shipment'
where strpos(subject, ':') = 0;
alter table ops.alert add primary key (account, topic, subject, cycle, level, recipient);
comment on table ops.alert is 'What somebody has been told; written with the message that tells it. An alert is raised '
'once.';
comment on column ops.alert.topic is 'reply and deadline (of a ticket), shipment (of an order), or what went wrong in '
'the pipeline or in the mailbox: see outputs/alerts.py.';
comment on column ops.alert.subject is 'What it is about: a ticket, an order to ship, a mail, a batch, a source.';
comment on column ops.alert.cycle is 'Of the ticket''s clock. Of what went wrong: tells one outage, or day, from the '
'next.';
comment on column ops.alert.level is 'at_risk, breached, still_breached_1, still_breached_2, … (by escalate_after of '
'the policy); of what went wrong: trouble.';
comment on column ops.alert.recipient is 'E-mail address; the name of an agent who has none.';
comment on column ops.alert.raised_at is 'As-of instant of the run that told it.';

create table core.alert_acknowledgement (
    account text not null,
    topic text not null,
    ticket_id text not null,
    cycle integer not null,
    acknowledged_by text not null,
    acknowledged_at timestamptz not null,
    primary key (account, topic, ticket_id, cycle, acknowledged_by)
);
comment on table core.alert_acknowledgement is 'Append-only: who said of a breach "I see to it". The ladder stops '
'there for that cycle of the clock; the next breach is a new one.';
comment on column core.alert_acknowledgement.topic is 'reply or deadline, as in ops.alert.';
comment on column core.alert_acknowledgement.cycle is 'Of the ticket''s clock.';

create table ops.hour_done (
    as_of timestamptz primary key,
    written_at timestamptz not null
);
comment on table ops.hour_done is 'Hours whose worklists were written by a live run: so that a late one is missed.';

---------- the activity history also says who saw to a breach

create or replace view mart.ticket_timeline as
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
comment on view mart.ticket_timeline is 'Activity history: every event of a ticket, what happened by itself, alerts '
'and who acknowledged them. Order by at, rank, source_order, source, source_id; newest first: descending. As of T: '
'at <= T.';
comment on column mart.ticket_timeline.what is 'Kind of the event; auto_solve, auto_close; alert, acknowledge.';
