-- In: the worklists of 0001, the outbox of 0015. Out: reasons that can be told in any language, lists of teams, desks
-- and marketplaces, files attached to messages.

create function mart.span_in_words(seconds bigint) returns text
language sql immutable parallel safe
return case
    when seconds < 60 then 'less than 1 min'
    when seconds < 3600 then seconds / 60 || ' min'
    when seconds < 172800 then concat_ws(' ', seconds / 3600 || ' h', nullif(mod(seconds / 60, 60), 0) || ' min')
    else concat_ws(' ', seconds / 86400 || ' d', nullif(mod(seconds / 3600, 24), 0) || ' h')
end;
comment on function mart.span_in_words is 'Such as 55 min, 27 h 10 min, 3 d 4 h; rounded down.';

create function mart.in_words(reason jsonb) returns text
language sql stable parallel safe
return (
    select
        string_agg(
            case
                when mod(piece.number, 2) = 1 then piece.words
                when piece.words = 'time' then mart.span_in_words(($1 ->> 'time')::bigint)
                when piece.words = 'moment'
                    then to_char(($1 ->> 'moment')::timestamptz at time zone 'UTC', 'FMDD Mon HH24:MI "UTC"')
                else $1 ->> piece.words
            end,
            '' order by piece.number
        )
    from regexp_split_to_table($1 ->> 'text', '[{}]') with ordinality as piece (words, number)
);
comment on function mart.in_words is 'One of mart.worklist_item.reasons in English, times in UTC. Between its braces '
'a text names its values.';

create function mart.section_rank(section text) returns integer
language sql immutable parallel safe
return array_position(
    array[
        'reply_now', 'feedback', 'claims_returns_cancellations', 'performance_notifications', 'cases_to_chase',
        'on_hold_to_chase', 'orders_to_ship', 'mail_to_decide', 'solved_automatically'
    ]::text[],
    section
);
comment on function mart.section_rank is 'The place of a section in a worklist, from 1 on.';

alter table mart.worklist_item
add column reasons jsonb,
add column teams text[] not null default '{}',
add column since_at timestamptz;
comment on table mart.worklist_item is 'What there is to do as of the hour, once for each agent who has it, in the '
'order of the agent''s list. Lists of teams, desks and marketplaces: mart.worklist.';
comment on column mart.worklist_item.agent is 'Empty: of a marketplace that no agent has.';
comment on column mart.worklist_item.teams is 'Teams of the agent.';
comment on column mart.worklist_item.reason is 'In English, times in UTC.';
comment on column mart.worklist_item.reasons is 'The same in parts, to be told in other languages: [{"text": "Breached '
'{time} ago", "time": seconds}, …]; null in hours before there were such.';
comment on column mart.worklist_item.since_at is 'Since when it waits: sorts what is due at the same time, or never.';

create view mart.worklist as
with listed as (
    select
        'agent' as list,
        item.agent as name,
        item.*
    from mart.worklist_item as item
    where item.agent <> ''
    union all
    select
        'team' as list,
        team.name,
        item.*
    from mart.worklist_item as item
    cross join unnest(item.teams) as team (name)
    union all
    select
        'desk' as list,
        item.desk as name,
        item.*
    from mart.worklist_item as item
    where item.desk is not null
    union all
    select
        'marketplace' as list,
        item.marketplace as name,
        item.*
    from mart.worklist_item as item
    where item.marketplace is not null
),

-- An item that several agents have is once on the list of their team.
once as (
    select distinct on (as_of, list, name, account, ticket_id, order_id, section)
        *,
        array_agg(agent) filter (where agent <> '')
            over (partition by as_of, list, name, account, ticket_id, order_id, section) as agents
    from listed
    order by as_of, list, name, account, ticket_id, order_id, section, agent
)

select
    as_of,
    list,
    name,
    row_number() over (
        partition by as_of, list, name
        order by mart.section_rank(section), due_at, since_at, account, ticket_id, order_id
    )::integer as position,
    section,
    agents,
    account,
    ticket_id,
    order_id,
    marketplace,
    desk,
    ticket_type,
    status,
    reason,
    reasons,
    due_at,
    seconds_left,
    link,
    order_status,
    fulfilled_by,
    ship_by_at,
    total_amount,
    currency,
    items
from once;
comment on view mart.worklist is 'The worklists of each hour: of agents, teams, desks, marketplaces. Name one as_of.';
comment on column mart.worklist.list is 'agent, team, desk or marketplace.';
comment on column mart.worklist.name is 'Whose list it is.';
comment on column mart.worklist.agents is 'Who has the item, as far as they are on this list; null: nobody.';

alter table ops.outbox add column attachments jsonb not null default '[]';
comment on column ops.outbox.attachments is 'Files that go with it: [{"name": …, "type": media type, '
'"base64": content}].';
