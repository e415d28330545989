-- In: batch_ticket. Out: mart.ticket and mart.ticket_status hold nothing about these tickets.
with cleared_periods as (
    delete from mart.ticket_status as period
    using batch_ticket
    where period.account = batch_ticket.account and period.ticket_key = batch_ticket.ticket_key
)

delete from mart.ticket as ticket
using batch_ticket
where ticket.account = batch_ticket.account and ticket.ticket_key = batch_ticket.ticket_key
