-- In: worklists as of 0044, events. Out: everybody's list is read without the rows of its other holders, which are
-- nearly half; what an agent was ever given, for the list of tickets, without a look at each event in its table.
create index worklist_item_first on mart.worklist_item (as_of) where is_first;

-- `detail` is in it because PostgreSQL reads an index alone only if it has the columns that its expressions are of.
create index ticket_event_agent_told on core.ticket_event ((detail ->> 'agent'), account, ticket_key)
include (detail)
where kind = 'assign';
drop index core.ticket_event_agent;
alter index core.ticket_event_agent_told rename to ticket_event_agent;
