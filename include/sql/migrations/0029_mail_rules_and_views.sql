-- In: mail, what people decide of it, ticket events. Out: rules that people make when they decide; views of pages that
-- they keep; the indexes by which pages find mail to decide, and programs follow events.

create table pii.mail_rule (
    rule_id bigint generated always as identity,
    account text not null,
    sender text,
    phrase text,
    kind text not null,
    made_by text not null,
    made_at timestamptz not null,
    identity text not null,
    primary key (account, identity),
    check (num_nonnulls(sender, phrase) > 0)
);
create unique index mail_rule_id on pii.mail_rule (rule_id);
comment on table pii.mail_rule is 'Append-only: what mail of a sender, or with a phrase in its subject, is where '
'mail_rules.yaml says nothing of it. Who writes can be a person.';
comment on column pii.mail_rule.sender is 'Lower case: an address, or @ and a domain for everybody there; null: any.';
comment on column pii.mail_rule.phrase is 'Somewhere in the subject, upper and lower case alike; null: any subject.';
comment on column pii.mail_rule.made_by is 'User name in Airflow.';
comment on column pii.mail_rule.identity is 'The same for a repeated click.';

create table core.mail_rule_end (
    account text not null,
    rule_id bigint not null,
    ended_by text not null,
    ended_at timestamptz not null,
    primary key (account, rule_id)
);
comment on table core.mail_rule_end is 'Append-only: rules that are for mail received before ended_at only.';

create function pii.mail_rule_for(in_account text, from_sender text, of_subject text, at timestamptz)
returns table (rule_id bigint, kind text, made_by text)
language sql stable parallel safe rows 1
as $$
select
    rule.rule_id,
    rule.kind,
    rule.made_by
from pii.mail_rule as rule
left join core.mail_rule_end as ended on rule.account = ended.account and rule.rule_id = ended.rule_id
where
    rule.account = in_account
    and (rule.sender is null or rule.sender in (lower(from_sender), '@' || split_part(lower(from_sender), '@', 2)))
    and (rule.phrase is null or position(lower(rule.phrase) in lower(of_subject)) > 0)
    and (ended.ended_at is null or at < ended.ended_at)
order by rule.rule_id desc
limit 1
$$;
comment on function pii.mail_rule_for is 'The newest rule of people that is for a mail of that sender and subject, '
'received at that instant.';

create table ops.page_view (
    visitor text not null,
    page text not null,
    name text not null,
    query text not null,
    saved_at timestamptz not null,
    primary key (visitor, page, name)
);
comment on table ops.page_view is 'Filters and order of a page that somebody keeps under a name.';
comment on column ops.page_view.query is 'As in the address of the page.';

create unique index ticket_event_id on core.ticket_event (event_id);
create index mail_unknown on core.mail (account, received_at) where kind = 'unknown';
create index mail_imitation on core.mail (received_at) where kind = 'imitation';
