-- In: batch_ticket. Out: ops.ticket_touched without the tickets of this fold.
delete from ops.ticket_touched as touched
using batch_ticket
where touched.account = batch_ticket.account and touched.ticket_key = batch_ticket.ticket_key
