-- In: tickets and their events. Out: what agents did in their desks, as its exports tell.
create table ops.desk_file (
    account text not null,
    desk text not null,
    content_key text not null,
    name text not null,
    bytes bigint not null,
    modified_at timestamptz,
    batch_id bigint references ops.batch,
    read_at timestamptz not null,
    primary key (account, desk, content_key, name)
);
create index desk_file_seen on ops.desk_file (account, desk, name, bytes, modified_at);
comment on table ops.desk_file is 'Exports of desks that have been read; each content once, whatever it is called.';
comment on column ops.desk_file.content_key is 'SHA-256 of the file, hex.';
comment on column ops.desk_file.modified_at is 'As the store says; null where it says nothing.';
comment on column ops.desk_file.batch_id is 'Batch of its rows; null: it had none, or its content was known.';

create table raw.desk_action (
    batch_id bigint not null references ops.batch,
    account text not null,
    line_number integer not null,
    desk text not null,
    row_identity text not null,
    kind text,
    status text,
    agent text,
    stakeholder text,
    actor text,
    occurred_at timestamptz,
    ticket_id text,
    order_id text,
    marketplace text,
    case_id text,
    buyer_ref text,
    read_at timestamptz not null,
    ticket_key text,
    trouble text,
    primary key (account, batch_id, line_number)
);
create index desk_action_batch on raw.desk_action (batch_id);
create index desk_action_identity on raw.desk_action (account, desk, row_identity);
comment on table raw.desk_action is 'Rows of desks'' exports, understood by the mapping of desk_files.yaml.';
comment on column raw.desk_action.line_number is 'In CSV the line on which the row begins, in JSON the number of the '
'record; from 1 on.';
comment on column raw.desk_action.row_identity is 'The desk''s own id of the row, else a digest of what it says: two '
'rows that say the same are one action.';
comment on column raw.desk_action.kind is 'Kind of ticket event; null: the mapping does not explain the row.';
comment on column raw.desk_action.occurred_at is 'Null: the time cannot be read.';
comment on column raw.desk_action.ticket_key is 'The ticket, found when the row was published; null: none, and trouble '
'says why.';

create table pii.desk_action (
    batch_id bigint not null references ops.batch,
    account text not null,
    line_number integer not null,
    body text,
    received jsonb not null,
    primary key (account, batch_id, line_number)
);
comment on table pii.desk_action is 'The row as received, and the words in it.';

create table pii.ticket_event_text (
    account text not null,
    source text not null,
    source_id text not null,
    body text not null,
    primary key (account, source, source_id)
);
comment on table pii.ticket_event_text is 'Words that belong to an event of core.ticket_event: notes of agents.';

comment on column core.ticket_event.detail is 'Never personal data of buyers. delivery_failure: {"reply": source_id it '
'names}. A notice that asks for something by a date: {"deadline": ISO instant}. Whoever sets a priority: {"priority": '
'low, normal, high or urgent}; until then a ticket is normal. assign: {"agent", and by rules "rule" and "team"}. hold: '
'{"stakeholder"}. merge, unmerge: {"into": the other ticket_key}. How a mail names its order: {"match": explicit, '
'recent or none}. Of a desk''s status change: {"status": its word}.';
