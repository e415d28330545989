-- In: batch_ticket. Out: mart.sla_clock and mart.sla_pause hold nothing about these tickets.
with cleared_pauses as (
    delete from mart.sla_pause as pause
    using batch_ticket
    where pause.account = batch_ticket.account and pause.ticket_key = batch_ticket.ticket_key
)

delete from mart.sla_clock as clock
using batch_ticket
where clock.account = batch_ticket.account and clock.ticket_key = batch_ticket.ticket_key
