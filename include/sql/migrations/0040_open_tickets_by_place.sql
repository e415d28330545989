-- In: the periods of 0007, the view of 0036. Out: a list of what is not done in a marketplace, or of a type, is read of
-- the index alone as well. Periods that are over are left as they are: that would rewrite all of a big table.
alter table mart.ticket_status
add column marketplace text,
add column ticket_type text;
comment on column mart.ticket_status.marketplace is 'Of the ticket; null, too, in periods that ended before the column '
'was there.';
comment on column mart.ticket_status.ticket_type is 'Of the ticket as it is now; null in periods that ended before the '
'column was there.';

update mart.ticket_status as period
set
    marketplace = ticket.marketplace,
    ticket_type = ticket.ticket_type
from mart.ticket as ticket
where
    ticket.account = period.account
    and ticket.ticket_id = period.ticket_id
    and period.status in ('new', 'open', 'pending', 'on_hold')
    and period.until_at > now();

create or replace view mart.period_not_done as
select
    account,
    ticket_id,
    ticket_key,
    status,
    from_at,
    until_at,
    case when status in ('new', 'open', 'pending', 'on_hold') then until_at end as lasts_until,
    marketplace,
    ticket_type
from mart.ticket_status
where status in ('new', 'open', 'pending', 'on_hold');

create index ticket_status_not_done_of on mart.ticket_status (until_at, from_at)
include (account, ticket_id, ticket_key, status, marketplace, ticket_type)
where status in ('new', 'open', 'pending', 'on_hold');
drop index mart.ticket_status_not_done;
alter index mart.ticket_status_not_done_of rename to ticket_status_not_done;
