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
