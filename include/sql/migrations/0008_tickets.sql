-- In: tickets and their events of 0001. Out: events that close, merge, and change what a ticket is about; what was
-- refused, and why.

alter table core.ticket_event drop constraint ticket_event_kind_check;
alter table core.ticket_event add constraint ticket_event_kind_check check (kind in (
    'buyer_message', 'reply', 'notice', 'assign', 'hold', 'solve', 'no_response_needed', 'unread',
    'delivery_failure', 'note', 'close', 'change_type', 'attach_order', 'detach_order', 'merge', 'unmerge'
));
comment on column core.ticket_event.detail is 'Never personal data. delivery_failure: {"reply": source_id it names}. '
'A notice that asks for something by a date: {"deadline": ISO instant}. Whoever sets a priority: {"priority": low, '
'normal, high or urgent}; until then a ticket is normal. merge, unmerge: {"into": the other ticket_key}. How a mail '
'names its order: {"match": explicit, recent or none}.';
comment on column core.ticket_event.ticket_type is 'What such an event makes a ticket; of change_type: the new type.';
comment on column core.ticket_event.order_id is 'The order it is about; of attach_order and detach_order: that one.';
create index ticket_event_merge on core.ticket_event (account, ticket_key) where kind in ('merge', 'unmerge');
create index ticket_event_case on core.ticket_event (account, case_id) where case_id is not null;

alter table mart.ticket add column order_match text not null default 'none';
comment on column mart.ticket.order_match is 'explicit (the order id is in the mail), recent (the buyer''s alias has '
'exactly one recent order), manual (attached by an agent), none.';

create table mart.ticket_merged (
    account text not null,
    ticket_key text not null,
    into_key text not null,
    primary key (account, ticket_key)
);
create index ticket_merged_into on mart.ticket_merged (account, into_key);
comment on table mart.ticket_merged is 'Keys whose events belong to the ticket of another key.';

create view mart.ticket_event as
select
    event_id,
    account,
    source,
    source_id,
    ticket_key,
    marketplace,
    kind,
    ticket_type,
    occurred_at,
    source_order,
    actor,
    order_id,
    case_id,
    buyer_ref,
    is_automatic,
    detail,
    landed_at
from core.ticket_event
union all
select
    event.event_id,
    event.account,
    event.source,
    event.source_id,
    merged.into_key as ticket_key,
    event.marketplace,
    event.kind,
    event.ticket_type,
    event.occurred_at,
    event.source_order,
    event.actor,
    event.order_id,
    event.case_id,
    event.buyer_ref,
    event.is_automatic,
    event.detail,
    event.landed_at
from core.ticket_event as event
inner join mart.ticket_merged as merged
    on event.account = merged.account and event.ticket_key = merged.ticket_key;
comment on view mart.ticket_event is 'Every event by the ticket_key of mart.ticket that it belongs to; events of '
'merged keys stand under their own key, too, which no ticket has any more.';

create table mart.ticket_refusal (
    account text not null,
    ticket_id text not null,
    ticket_key text not null,
    source text not null,
    source_id text not null,
    occurred_at timestamptz not null,
    kind text not null,
    actor text not null,
    reason text not null,
    primary key (account, source, source_id)
);
create index ticket_refusal_by_key on mart.ticket_refusal (account, ticket_key);
comment on table mart.ticket_refusal is 'What agents did that has no effect, recorded all the same.';
comment on column mart.ticket_refusal.reason is 'closed: on a closed ticket nothing can be changed. fixed_type: such a '
'type cannot be changed. unknown_type: there is no such type.';

-- Found by the ids of the tickets of a key, which begin their primary keys.
drop index mart.ticket_status_by_key, mart.sla_clock_by_key, mart.sla_pause_by_key;

create table core.ticket_type (
    ticket_type text primary key,
    is_fixed boolean not null
);
comment on table core.ticket_type is 'Every type of ticket.';
comment on column core.ticket_type.is_fixed is 'Agents cannot change it.';
insert into core.ticket_type (ticket_type, is_fixed) values
('contact_buyer', false),
('product_question', false),
('return_request', false),
('cancellation', true),
('refund', false),
('a_to_z_claim', false),
('chargeback', false),
('negative_feedback', true),
('neutral_feedback', true),
('performance_notification', false),
('case_update', false),
('delivery_failure', false),
('system_message', true),
('system_qa', false),
('other_query', false),
('unknown_mail', false);
