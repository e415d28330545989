-- In:  an empty database. Out: the schemas and tables of the pipeline's walking skeleton.
-- Every key begins with the account, so that tables can be partitioned and distributed later.
-- Everything that must be forgotten about a buyer is in schema pii, readable by its own role only.

create schema raw;
create schema core;
create schema pii;
create schema mart;
create schema ops;

comment on schema raw is 'As received, append-only, without personal data';
comment on schema core is 'Facts';
comment on schema pii is 'What must be forgotten: names, addresses, aliases, texts';
comment on schema mart is 'Answers, readable by BI tools';
comment on schema ops is 'Batches, watermarks, quarantine, outbox';

---------- ops: reading what others wrote, without an error on what cannot be read (needs PostgreSQL 16)

create function ops.instant(value text) returns timestamptz
language sql stable parallel safe
return case
    when
        value ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$'
        and pg_input_is_valid(value, 'timestamptz') then value::timestamptz
end;
comment on function ops.instant is 'ISO 8601 with an offset; null for anything else.';

create function ops.amount(value text) returns numeric
language sql immutable parallel safe
return case when value ~ '^-?\d{1,14}(\.\d+)?$' then value::numeric end;
comment on function ops.amount is 'Decimal number with a point, fit for numeric(18, 4); null for anything else.';

create function ops.whole(value text) returns integer
language sql immutable parallel safe
return case when value ~ '^\d{1,9}$' then value::integer end;
comment on function ops.whole is 'Whole number from 0 on; null for anything else.';

---------- ops: how work is tracked

create table ops.batch (
    batch_id bigint generated always as identity primary key,
    dataset text not null,
    account text not null,
    scope text not null,
    window_start timestamptz,
    window_end timestamptz,
    row_count integer not null,
    landed_at timestamptz not null default now(),
    checked_at timestamptz,
    rejected_because text,
    published_at timestamptz
);
create index batch_unpublished on ops.batch (dataset) where published_at is null;
comment on table ops.batch is 'One pull of one source: landed, then checked, then published. A batch that a rule '
'rejects as a whole keeps the reason and waits for a person.';

create table ops.watermark (
    account text not null,
    source text not null,
    scope text not null,
    position jsonb not null,
    moved_at timestamptz not null default now(),
    primary key (account, source, scope)
);
comment on table ops.watermark is 'How far a source has been read; moved in the transaction that lands the rows.';

create table ops.quarantine (
    quarantine_id bigint generated always as identity primary key,
    account text not null,
    dataset text not null,
    batch_id bigint not null references ops.batch,
    row_key text not null,
    rule text not null,
    set_aside_at timestamptz not null default now(),
    unique (batch_id, dataset, row_key, rule)
);
comment on table ops.quarantine is 'Rows that a check set aside, with the rule they broke. The row itself stays in '
'the batch that brought it.';

create table ops.check_result (
    batch_id bigint not null references ops.batch,
    dataset text not null,
    rule text not null,
    severity text not null,
    row_count bigint,
    failed_count bigint,
    passed boolean not null,
    checked_at timestamptz not null default now(),
    primary key (batch_id, rule)
);

create table ops.ticket_touched (
    account text not null,
    ticket_key text not null,
    primary key (account, ticket_key)
);
comment on table ops.ticket_touched is 'Tickets with new events since the last fold.';

create table ops.alert (
    account text not null,
    ticket_id text not null,
    cycle integer not null,
    level text not null check (level in ('at_risk', 'breached')),
    recipient text not null,
    raised_at timestamptz not null,
    primary key (account, ticket_id, cycle, level, recipient)
);
comment on table ops.alert is 'What somebody has been told; an alert is raised once.';

create table ops.outbox (
    outbox_id bigint generated always as identity primary key,
    message_key text not null unique,
    kind text not null,
    recipient text not null,
    subject text not null,
    html text not null,
    plain text not null,
    message_id text not null,
    written_at timestamptz not null default now(),
    available_at timestamptz not null default now(),
    attempts integer not null default 0,
    last_error text,
    sent_at timestamptz,
    dead_at timestamptz
);
create index outbox_waiting on ops.outbox (recipient, outbox_id) where sent_at is null and dead_at is null;
comment on table ops.outbox is 'Messages to people, written in the transaction of the state they report.';

---------- raw: as received

create table raw.order_received (
    batch_id bigint not null references ops.batch,
    account text not null,
    order_id text not null,
    region text not null,
    payload jsonb not null,
    primary key (account, order_id, batch_id)
);
create index order_received_batch on raw.order_received (batch_id);
comment on column raw.order_received.payload is 'Order of the Orders API 2026-01-01 without buyer, recipient, '
'payment, tax registrations and gift messages.';

create table pii.order_received (
    batch_id bigint not null references ops.batch,
    account text not null,
    order_id text not null,
    payload jsonb not null,
    primary key (account, order_id, batch_id)
);

create table pii.mail_received (
    batch_id bigint not null references ops.batch,
    account text not null,
    mail_id text not null,
    mailbox text not null,
    folder text not null,
    uid_validity bigint not null,
    uid bigint not null,
    received_at timestamptz not null,
    archived_as text not null,
    meaning jsonb not null,
    primary key (account, mail_id, batch_id)
);
create index mail_received_batch on pii.mail_received (batch_id);
comment on column pii.mail_received.meaning is 'What mail.explain() says of it: kind, confidence, signals, order ids, '
'the words the person wrote.';

---------- core: facts

create table core.amazon_order (
    account text not null,
    order_id text not null,
    region text not null,
    marketplace text,
    status text,
    fulfilled_by text,
    ship_country text,
    ordered_at timestamptz,
    last_updated_at timestamptz,
    ship_by_at timestamptz,
    deliver_by_at timestamptz,
    shipped_at timestamptz,
    total_amount numeric(18, 4),
    currency text,
    is_placeholder boolean not null default false,
    batch_id bigint,
    primary key (account, order_id)
);
create index amazon_order_unshipped on core.amazon_order (account, ship_by_at)
where status in ('UNSHIPPED', 'PARTIALLY_SHIPPED') and fulfilled_by = 'MERCHANT';

create table core.amazon_order_item (
    account text not null,
    order_id text not null,
    order_item_id text not null,
    position integer not null,
    asin text,
    sku text,
    title text,
    quantity integer not null,
    quantity_shipped integer,
    amount numeric(18, 4),
    currency text,
    primary key (account, order_id, order_item_id)
);

create table pii.order_contact (
    account text not null,
    order_id text not null,
    buyer_name text,
    buyer_alias text,
    recipient jsonb,
    last_updated_at timestamptz not null,
    primary key (account, order_id)
);
create index order_contact_alias on pii.order_contact (account, buyer_alias);

create table core.mail (
    account text not null,
    mail_id text not null,
    mailbox text not null,
    folder text not null,
    kind text not null,
    confidence real not null,
    signals text[] not null,
    direction text not null,
    marketplace text,
    order_ids text[] not null,
    case_id text,
    buyer_ref text,
    language text,
    sent_at timestamptz not null,
    received_at timestamptz not null,
    attachment_count integer not null,
    ticket_key text,
    archived_as text not null,
    batch_id bigint,
    primary key (account, mail_id)
);
create index mail_sent on core.mail (account, sent_at);
create index mail_batch on core.mail (batch_id);
create index mail_buyer on core.mail (account, buyer_ref) where buyer_ref is not null;
comment on column core.mail.batch_id is 'Batch that brought the mail first.';
comment on column core.mail.buyer_ref is 'Keyed hash of the buyer alias: tells buyers apart without naming them.';
comment on column core.mail.ticket_key is 'Ticket that the mail belongs to; null for mail that is only filed.';

create table pii.mail (
    account text not null,
    mail_id text not null,
    message_id text,
    in_reply_to text,
    subject text,
    buyer_name text,
    buyer_name_key text,
    buyer_alias text,
    body text,
    no_response_link text,
    attachments jsonb not null,
    primary key (account, mail_id)
);
create index mail_message_id on pii.mail (account, message_id);
create index mail_buyer_name on pii.mail (account, buyer_name_key);
comment on column pii.mail.buyer_name_key is 'The name without case, accents and spacing, for finding it again.';

create table core.ticket_event (
    event_id bigint generated always as identity,
    account text not null,
    source text not null,
    source_id text not null,
    ticket_key text not null,
    marketplace text,
    kind text not null check (kind in (
        'buyer_message', 'reply', 'notice', 'assign', 'hold', 'solve', 'no_response_needed', 'unread',
        'delivery_failure', 'note'
    )),
    ticket_type text,
    occurred_at timestamptz not null,
    source_order integer not null default 0,
    actor text not null,
    order_id text,
    case_id text,
    buyer_ref text,
    is_automatic boolean not null default false,
    detail jsonb not null default '{}',
    landed_at timestamptz not null default now(),
    primary key (account, source, source_id)
);
create index ticket_event_ticket on core.ticket_event (account, ticket_key, occurred_at);
create index ticket_event_order on core.ticket_event (account, order_id) where order_id is not null;
comment on table core.ticket_event is 'Append-only: what happened to a ticket. Replays insert nothing.';
comment on column core.ticket_event.kind is 'notice: Amazon reports something that needs a person (return request, '
'claim, unknown mail); moves the status as a buyer message does, starts no reply clock.';
comment on column core.ticket_event.is_automatic is 'Automatic reply: recorded, but no answer.';
comment on column core.ticket_event.detail is 'Never personal data. delivery_failure: {"reply": source_id it names}.';

---------- mart: answers, folded from facts

create table mart.ticket (
    account text not null,
    ticket_id text not null,
    ticket_key text not null,
    generation integer not null,
    follow_up_of text,
    marketplace text,
    ticket_type text not null,
    order_id text,
    case_id text,
    buyer_ref text,
    created_at timestamptz not null,
    last_event_at timestamptz not null,
    event_count integer not null,
    primary key (account, ticket_id)
);
create index ticket_by_key on mart.ticket (account, ticket_key);
comment on table mart.ticket is 'One conversation with one buyer about one thing. ticket_id = ticket_key, with #n from '
'the second generation (follow-up after closing) on.';

create table mart.ticket_status (
    account text not null,
    ticket_id text not null,
    ticket_key text not null,
    status text not null,
    from_at timestamptz not null,
    until_at timestamptz not null default 'infinity',
    cause text not null,
    primary key (account, ticket_id, from_at)
);
create index ticket_status_by_key on mart.ticket_status (account, ticket_key);
create index ticket_status_period on mart.ticket_status (until_at, from_at);
comment on table mart.ticket_status is 'Half-open periods [from_at, until_at), known beyond today: pending ends by '
'itself at a known instant. The status as of T is the period that holds T. cause: kind of the event that began it, or '
'auto_solve, auto_close.';

create table mart.sla_clock (
    account text not null,
    ticket_id text not null,
    ticket_key text not null,
    metric text not null,
    cycle integer not null,
    started_at timestamptz not null,
    warn_at timestamptz not null,
    due_at timestamptz not null,
    stopped_at timestamptz,
    stopped_by text,
    primary key (account, ticket_id, metric, cycle)
);
create index sla_clock_by_key on mart.sla_clock (account, ticket_key);
create index sla_clock_due on mart.sla_clock (metric, due_at) where stopped_at is null;
comment on table mart.sla_clock is 'One cycle of one service level. As of T: stopped if stopped_at <= T, breached if '
'the earlier of stopped_at and T is after due_at.';

create table mart.worklist_item (
    as_of timestamptz not null,
    agent text not null,
    section text not null,
    position integer not null,
    account text not null,
    ticket_id text,
    order_id text,
    marketplace text,
    desk text,
    ticket_type text,
    status text,
    reason text not null,
    due_at timestamptz,
    seconds_left bigint,
    link text,
    order_status text,
    fulfilled_by text,
    ship_by_at timestamptz,
    total_amount numeric(18, 4),
    currency text,
    items text,
    primary key (as_of, agent, position)
);
comment on table mart.worklist_item is 'What each agent has to do, as of the hour, in order of time left.';
comment on column mart.worklist_item.seconds_left is 'due_at - as_of, negative once late.';
