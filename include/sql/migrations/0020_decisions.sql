-- In: mail and ticket events. Out: what people decide of mail, follow-up tickets that people open, buyers whom they
-- black-list.

create table core.mail_decision (
    decision_id bigint generated always as identity,
    account text not null,
    mail_id text not null,
    kind text not null,
    decided_by text not null,
    decided_at timestamptz not null,
    identity text not null,
    primary key (account, mail_id, identity)
);
create unique index mail_decision_id on core.mail_decision (decision_id);
comment on table core.mail_decision is 'Append-only: what a person says a mail is. The last word counts, whatever the '
'rules say, also when the mail is read again.';
comment on column core.mail_decision.decided_by is 'User name in Airflow.';
comment on column core.mail_decision.identity is 'The same for a repeated click.';

alter table core.ticket_event drop constraint ticket_event_kind_check;
alter table core.ticket_event add constraint ticket_event_kind_check check (kind in (
    'buyer_message', 'reply', 'notice', 'assign', 'hold', 'solve', 'no_response_needed', 'unread',
    'delivery_failure', 'note', 'close', 'change_type', 'attach_order', 'detach_order', 'merge', 'unmerge',
    'follow_up', 'decide_mail', 'black_list', 'black_list_end'
));
comment on column core.ticket_event.detail is 'Never personal data. delivery_failure: {"reply": source_id it names}. '
'A notice that asks for something by a date: {"deadline": ISO instant}. Whoever sets a priority: {"priority": low, '
'normal, high or urgent}; until then a ticket is normal. merge, unmerge: {"into": the other ticket_key}. How a mail '
'names its order: {"match": explicit, recent or none}. decide_mail: {"mail_kind": what it is}. black_list, '
'black_list_end: {"scope": account or everywhere}.';

create index ticket_event_black_list on core.ticket_event (buyer_ref, account)
where kind in ('black_list', 'black_list_end') and buyer_ref is not null;
create view mart.black_list as
with said as (
    select distinct on (buyer_ref, coalesce(detail ->> 'scope', 'account'), account)
        buyer_ref,
        account,
        coalesce(detail ->> 'scope', 'account') as scope,
        kind,
        actor,
        occurred_at
    from core.ticket_event
    where kind in ('black_list', 'black_list_end') and buyer_ref is not null
    order by
        buyer_ref asc, coalesce(detail ->> 'scope', 'account') asc, account asc, occurred_at desc, event_id desc
)

select
    buyer_ref,
    account,
    scope,
    actor,
    occurred_at
from said
where kind = 'black_list';
comment on view mart.black_list is 'Buyers who are black-listed now, by whom and since when.';
comment on column mart.black_list.scope is 'account: in the account of the ticket. everywhere: in every account.';
