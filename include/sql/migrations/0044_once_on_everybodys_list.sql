-- In: worklists as of 0037. Out: everybody's list is read without looking at each agent's.
alter table mart.worklist_item
add column is_first boolean not null default true;
comment on column mart.worklist_item.is_first is 'Of an item that several agents have, the row of the first by name; '
'true for every row of lists older than this column, but the last of them.';

with newest as (
    select max(as_of) as as_of from mart.worklist_item
),

holders as (
    select
        as_of,
        agent,
        position,
        row_number() over (partition by section, account, ticket_id, order_id order by agent) as place
    from mart.worklist_item
    where as_of = (select newest.as_of from newest)
)

update mart.worklist_item as item
set is_first = false
from holders
where
    item.as_of = holders.as_of
    and item.agent = holders.agent
    and item.position = holders.position
    and holders.place > 1;
