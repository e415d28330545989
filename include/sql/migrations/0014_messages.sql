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
