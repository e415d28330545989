-- In: the periods and clocks of 0007, the index of 0014, the statistics of 0031. Out: what is not done, and until when
-- somebody has to act, is read of indexes alone: a list of all that is not done costs no look at each ticket.
create view mart.period_not_done as
select
    account,
    ticket_id,
    ticket_key,
    status,
    from_at,
    until_at,
    case when status in ('new', 'open', 'pending', 'on_hold') then until_at end as lasts_until
from mart.ticket_status
where status in ('new', 'open', 'pending', 'on_hold');
comment on view mart.period_not_done is 'Periods in which a ticket is not done. As of T: from_at <= T, until_at > T, '
'and lasts_until > T.';
comment on column mart.period_not_done.lasts_until is 'until_at again: PostgreSQL has statistics of this one, and '
'would else expect fifty times as many rows.';

create index ticket_status_not_done_covering on mart.ticket_status (until_at, from_at)
include (account, ticket_id, ticket_key, status)
where status in ('new', 'open', 'pending', 'on_hold');
drop index mart.ticket_status_not_done;
alter index mart.ticket_status_not_done_covering rename to ticket_status_not_done;

create index sla_clock_to_come on mart.sla_clock ((coalesce(stopped_at, 'infinity')))
include (metric, started_at, stopped_at, due_at, account, ticket_id);

create index ticket_event_agent on core.ticket_event ((detail ->> 'agent'), account, ticket_key) where kind = 'assign';
