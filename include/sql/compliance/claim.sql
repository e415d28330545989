-- In: ops.compliance_touched. Out: temporary table batch_ticket: the tickets to count anew.
create temporary table batch_ticket on commit drop as
select
    account,
    ticket_key
from ops.compliance_touched
order by account, ticket_key
