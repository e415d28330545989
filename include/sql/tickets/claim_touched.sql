-- In: ops.ticket_touched. Out: temporary table batch_ticket, the tickets of this fold, numbered from 1.
create temporary table batch_ticket on commit drop as
select
    row_number() over (order by account, ticket_key) as ticket_no,
    account,
    ticket_key
from ops.ticket_touched
order by ticket_no
