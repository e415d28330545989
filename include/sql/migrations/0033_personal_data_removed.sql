-- In: orders, mail, tickets and messages with their personal data. Out: what was removed of it, when and by which rule;
-- what stays of a buyer who was removed (a keyed hash); marks and indexes by which removed data is known and kept out.

---------- the record

create table ops.removal_run (
    run_id bigint generated always as identity primary key,
    rule text not null check (rule in ('retention', 'erasure')),
    as_of timestamptz not null,
    orders_kept interval not null,
    delivery_within interval not null,
    shipping_within interval not null,
    messages_kept interval not null,
    because text,
    started_at timestamptz not null,
    finished_at timestamptz
);
comment on table ops.removal_run is 'One removal of personal data: nightly by retention, or of one buyer by request.';
comment on column ops.removal_run.as_of is 'What was due then was removed.';
comment on column ops.removal_run.messages_kept is 'This and the spans before it: as retention.yaml said.';
comment on column ops.removal_run.because is 'Of an erasure: the request, such as its number. No personal data.';
comment on column ops.removal_run.finished_at is 'Null: it runs, or was broken off. What it removed is removed.';

create table ops.removal (
    run_id bigint not null,
    account text not null,
    kind text not null check (kind in (
        'order', 'ticket', 'mail', 'received', 'set_aside', 'message', 'worklist_file', 'report_file', 'access'
    )),
    key text not null,
    entries integer not null,
    removed_at timestamptz not null,
    archived_as text[] not null default '{}',
    files_removed_at timestamptz,
    primary key (account, kind, key, run_id)
);
create index removal_of_run on ops.removal (run_id, kind);
create index removal_files_waiting on ops.removal (run_id) where archived_as <> '{}' and files_removed_at is null;
comment on table ops.removal is 'What was removed of whom, without personal data. What is here of an order or a mail '
'does not come back, however often it is pulled or read again.';
comment on column ops.removal.run_id is 'Of ops.removal_run. No foreign key: it would cost a seventh of the removal.';
comment on column ops.removal.kind is 'order, ticket, mail: key is its order_id, ticket_key or mail_id. The rest is '
'counted only: rows as received, lines set aside, contents of messages to staff, files, entries of the access log.';
comment on column ops.removal.entries is 'Rows that were deleted or emptied, or files.';
comment on column ops.removal.archived_as is 'Of a mail: its names in the archive; the files go right after it.';
comment on column ops.removal.files_removed_at is 'Null: they wait to be deleted, by this run or the next.';

---------- when an order counts as delivered

create function core.delivered_at(
    status text,
    last_updated_at timestamptz,
    ordered_at timestamptz,
    ship_by_at timestamptz,
    shipped_at timestamptz,
    deliver_by_at timestamptz,
    delivery_within interval,
    shipping_within interval
) returns timestamptz
language sql immutable parallel safe
return case
    when status = 'CANCELLED' then last_updated_at
    when deliver_by_at is not null then greatest(deliver_by_at, shipped_at)
    when shipped_at is not null then shipped_at + delivery_within
    else coalesce(ship_by_at, ordered_at + shipping_within) + delivery_within
end;
comment on function core.delivered_at(
    text, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz, interval, interval
) is 'By when an order is taken for delivered; Amazon tells no delivery times. The '
'end of the promised window, or when it was shipped if that was later; without a promise, shipping and a usual time. A '
'cancelled order: when it was last changed. Null: nothing is known.';

create function core.delivered_at(
    placed core.amazon_order, delivery_within interval, shipping_within interval
) returns timestamptz
language sql immutable parallel safe
return core.delivered_at(
    (placed).status,
    (placed).last_updated_at,
    (placed).ordered_at,
    (placed).ship_by_at,
    (placed).shipped_at,
    (placed).deliver_by_at,
    delivery_within,
    shipping_within
);
comment on function core.delivered_at(core.amazon_order, interval, interval) is 'The same of an order as it stands.';

---------- what stays of whom was removed

alter table pii.order_contact
add column buyer_ref text,
add column removed_at timestamptz;
create index order_contact_ref on pii.order_contact (account, buyer_ref) where buyer_ref is not null;
create index order_contact_kept on pii.order_contact (account, order_id) where removed_at is null;
comment on column pii.order_contact.buyer_ref is 'Of a removed contact: keyed hash of its alias, as in core.mail, so '
'that a buyer who comes back is known without being named.';
comment on column pii.order_contact.removed_at is 'Since then nothing but buyer_ref is left, and nothing comes back.';

alter table pii.mail_received alter column meaning drop not null;
create index mail_received_file on pii.mail_received (archived_as);
comment on column pii.mail_received.meaning is 'What mail.explain() says of it: kind, confidence, signals, order ids, '
'the words the person wrote. Null: it was removed; the row stays so that the mail is known when it is read again.';
comment on column core.mail.batch_id is 'Batch that brought the mail first. Null: its words were removed; it stays as '
'it was understood and linked, whatever is read again.';
comment on table pii.mail is 'People and words of each mail, until they are removed (ops.removal).';

alter table pii.outbox
add column about text[] not null default '{}',
add column emptied_at timestamptz;
create index outbox_about on pii.outbox using gin (about) where emptied_at is null;
create index outbox_full on pii.outbox (written_at) where emptied_at is null;
comment on column pii.outbox.about is 'Tickets whose buyers it quotes, as account/ticket_id.';
comment on column pii.outbox.emptied_at is 'Since then its subject, words and attachments are gone; that it was sent '
'stays.';

create index feedback_received_order on raw.feedback_received (account, order_id);
create index desk_action_ticket on raw.desk_action (account, ticket_key) where ticket_key is not null;
