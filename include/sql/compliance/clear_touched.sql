-- In: batch_ticket. Out: ops.compliance_touched without the tickets counted now.
delete from ops.compliance_touched as touched
using batch_ticket
where touched.account = batch_ticket.account and touched.ticket_key = batch_ticket.ticket_key
