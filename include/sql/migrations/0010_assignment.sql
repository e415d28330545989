-- In: tickets and their events. Out: who has which ticket, and why.
create table core.ticket_sorting (
    account text not null,
    ticket_id text not null,
    ticket_key text not null,
    sorted_at timestamptz not null,
    views text[] not null,
    marketplace text,
    desk text,
    ticket_type text not null,
    language text,
    order_id text,
    order_status text,
    fulfilled_by text,
    ship_country text,
    currency text,
    total_amount numeric(18, 4),
    is_prime boolean,
    is_business boolean,
    skus text[] not null,
    primary key (account, ticket_id)
);
comment on table core.ticket_sorting is 'Append-only: each new ticket as the rules of assignment.yaml saw it, once. A '
'later change of the order, of the ticket or of the rules changes nothing here.';
comment on column core.ticket_sorting.sorted_at is 'As-of instant of the run that sorted it.';
comment on column core.ticket_sorting.views is 'Names of the views it was in.';
comment on column core.ticket_sorting.language is 'Of the buyer''s first message; without one, the marketplace''s.';
comment on column core.ticket_sorting.total_amount is 'Of the order, in its currency, tax included.';

create table core.ticket_route (
    account text not null,
    ticket_id text not null,
    rule text not null,
    team text,
    agents text[] not null,
    routed_at timestamptz not null,
    primary key (account, ticket_id, rule)
);
comment on table core.ticket_route is 'Append-only: each rule that was for a new ticket, and to whom it sends it.';
comment on column core.ticket_route.rule is 'Name in assignment.yaml; `marketplace` is the team that accounts.yaml '
'names.';
comment on column core.ticket_route.team is 'One of its agents is to get the ticket.';
comment on column core.ticket_route.agents is 'All of these got it.';

create table ops.ticket_waiting (
    account text not null,
    ticket_id text not null,
    team text not null,
    rule text not null,
    since timestamptz not null,
    primary key (account, ticket_id, team)
);
comment on table ops.ticket_waiting is 'Tickets of a team that none of its agents has yet: whoever is on duty at the '
'next run gets them.';

create index ticket_event_assignment on core.ticket_event (account, ticket_key, occurred_at) where kind = 'assign';
create index ticket_status_waiting on mart.ticket_status (until_at) where status in ('new', 'open');

create view mart.ticket_agent as
select
    ticket.account,
    ticket.ticket_id,
    ticket.ticket_key,
    assignment.agent,
    assignment.since,
    assignment.source,
    assignment.assigned_by,
    assignment.rule,
    assignment.team
from mart.ticket as ticket
left join lateral (
    select follow_up.created_at from mart.ticket as follow_up
    where
        follow_up.account = ticket.account
        and follow_up.ticket_key = ticket.ticket_key
        and follow_up.generation = ticket.generation + 1
) as follow_up on true
cross join lateral (
    select distinct on (event.detail ->> 'agent')
        event.detail ->> 'agent' as agent,
        event.occurred_at as since,
        event.source,
        event.actor as assigned_by,
        event.detail ->> 'rule' as rule,
        event.detail ->> 'team' as team
    from mart.ticket_event as event
    where
        event.account = ticket.account
        and event.ticket_key = ticket.ticket_key
        and event.kind = 'assign'
        and event.detail ? 'agent'
        and event.occurred_at >= ticket.created_at
        and event.occurred_at < coalesce(follow_up.created_at, 'infinity')
        and not exists (
            select 1 from mart.ticket_status as closed
            where
                closed.account = ticket.account
                and closed.ticket_id = ticket.ticket_id
                and closed.status = 'closed'
                and closed.from_at < event.occurred_at
        )
    order by
        event.detail ->> 'agent',
        event.occurred_at,
        event.source_order,
        event.source,
        event.source_id
) as assignment;
comment on view mart.ticket_agent is 'The agents of each ticket, from its `assign` events. Agents are only ever added; '
'as of T a ticket has those with since <= T. An assignment after closing has no effect.';
comment on column mart.ticket_agent.since is 'The first time that this agent was assigned.';
comment on column mart.ticket_agent.source is 'rules, or desk:<name> where a desk''s export tells of it.';
comment on column mart.ticket_agent.assigned_by is 'Who did it: rules, or a person.';
comment on column mart.ticket_agent.rule is 'Of assignment.yaml; null where a person did it.';
