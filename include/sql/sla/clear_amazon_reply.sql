-- In: batch_ticket. Out: mart.sla_clock holds no amazon_reply clock of these tickets.
delete from mart.sla_clock as clock
using batch_ticket
where
    clock.account = batch_ticket.account
    and clock.ticket_key = batch_ticket.ticket_key
    and clock.metric = 'amazon_reply'
