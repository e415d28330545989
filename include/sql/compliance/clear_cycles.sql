-- In: batch_ticket. Out: mart.compliance_cycle holds nothing about these tickets.
delete from mart.compliance_cycle as cycle
using batch_ticket
where cycle.account = batch_ticket.account and cycle.ticket_key = batch_ticket.ticket_key
