-- In: the worklists of 0017, tables that change much. Out: worklists divided by month, so that old ones are dropped
-- instead of deleted; what was there is the part that has no month of its own. Vacuum that keeps up with big tables,
-- and room in the pages of small ones that change all the time.

---------- worklists by month

do $$
begin
    drop view mart.worklist;
    alter table mart.worklist_item rename to worklist_item_rest;
    alter index mart.worklist_item_pkey rename to worklist_item_rest_pkey;
    create table mart.worklist_item (
        like mart.worklist_item_rest including defaults including comments,
        primary key (as_of, agent, position)
    ) partition by range (as_of);
    alter table mart.worklist_item attach partition mart.worklist_item_rest default;
end
$$;

-- As in 0017, but for the order of agents: by name, whatever the plan.
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
        array_agg(agent) filter (where agent <> '') over (
            partition by as_of, list, name, account, ticket_id, order_id, section
            order by agent rows between unbounded preceding and unbounded following
        ) as agents
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
comment on table mart.worklist_item is 'What there is to do as of the hour, once for each agent who has it, in the '
'order of the agent''s list. Lists of teams, desks and marketplaces: mart.worklist. Divided by month.';
comment on table mart.worklist_item_rest is 'Worklists of hours whose month has no part of its own, as of a backfill.';
comment on view mart.worklist is 'The worklists of each hour: of agents, teams, desks, marketplaces. Name one as_of.';
comment on column mart.worklist.list is 'agent, team, desk or marketplace.';
comment on column mart.worklist.name is 'Whose list it is.';
comment on column mart.worklist.agents is 'Who has the item, as far as they are on this list; null: nobody.';

create function mart.keep_worklist_months(
    as_of timestamptz, kept_from timestamptz, out made integer, out dropped integer
)
language plpgsql security definer
set search_path = pg_catalog
set lock_timeout = '3s'
as $$
declare
    month timestamp;
    part name;
begin
    made := 0;
    dropped := 0;
    for month in
        select generate_series(
            date_trunc('month', as_of at time zone 'UTC'), as_of at time zone 'UTC' + '2 months', '1 month'
        )
    loop
        part := 'worklist_item_' || to_char(month, 'YYYY_MM');
        -- Rows that are there already stay where they are.
        continue when to_regclass('mart.' || part) is not null or exists (
            select 1 from mart.worklist_item as item
            where
                item.as_of >= month at time zone 'UTC'
                and item.as_of < (month + '1 month'::interval) at time zone 'UTC'
        );
        execute
            'create table mart.' || part || ' partition of mart.worklist_item for values from ('
            || quote_literal(month at time zone 'UTC') || ') to ('
            || quote_literal((month + '1 month'::interval) at time zone 'UTC') || ')';
        made := made + 1;
    end loop;
    for part in
        select parts.relname from pg_inherits
        inner join pg_class as parts on pg_inherits.inhrelid = parts.oid
        where
            pg_inherits.inhparent = 'mart.worklist_item'::regclass
            and parts.relname ~ '_\d{4}_\d{2}$'
            and (to_date(right(parts.relname, 7), 'YYYY_MM') + '1 month'::interval) at time zone 'UTC' <= kept_from
    loop
        execute 'drop table mart.' || part;
        dropped := dropped + 1;
    end loop;
end
$$;
revoke all on function mart.keep_worklist_months from public;
comment on function mart.keep_worklist_months is 'Makes parts of mart.worklist_item for the month of as_of and the two '
'after it, unless rows of them are elsewhere, and drops parts that end before kept_from. As the owner of the tables: '
'workers need no right to change the schema.';

---------- vacuum

-- A fifth of the rows, the usual share, is millions here: so many dead rows would be read before they are cleared.
do $$
declare
    big regclass;
begin
    foreach big in array array[
        'core.amazon_order', 'core.amazon_order_item', 'core.mail', 'core.ticket_event', 'mart.compliance_cycle',
        'mart.sla_clock', 'mart.sla_pause', 'mart.ticket', 'mart.ticket_status', 'pii.mail', 'pii.mail_received',
        'pii.order_contact', 'pii.order_received', 'pii.outbox', 'raw.order_received', 'raw.order_report_row'
    ]::regclass[] loop
        execute
            'alter table ' || big::text || ' set (autovacuum_vacuum_scale_factor = 0.02, '
            'autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05)';
    end loop;
end
$$;
-- Updated with every call or pull, never their key: with room in the page no index is written.
alter table ops.rate_bucket set (fillfactor = 50);
alter table ops.watermark set (fillfactor = 50);
alter table ops.pulled set (fillfactor = 50);
