-- In: batch_key. Out: mart.ticket, mart.ticket_status, mart.sla_clock, mart.sla_pause and mart.ticket_refusal hold
-- nothing about these keys.
with tickets as (
    select
        ticket.account,
        ticket.ticket_id
    from batch_key
    inner join mart.ticket as ticket on batch_key.account = ticket.account and batch_key.ticket_key = ticket.ticket_key
),

cleared_periods as (
    delete from mart.ticket_status as period
    using tickets
    where period.account = tickets.account and period.ticket_id = tickets.ticket_id
),

cleared_clocks as (
    delete from mart.sla_clock as clock
    using tickets
    where clock.account = tickets.account and clock.ticket_id = tickets.ticket_id
),

cleared_pauses as (
    delete from mart.sla_pause as pause
    using tickets
    where pause.account = tickets.account and pause.ticket_id = tickets.ticket_id
),

cleared_refusals as (
    delete from mart.ticket_refusal as refusal
    using batch_key
    where refusal.account = batch_key.account and refusal.ticket_key = batch_key.ticket_key
)

delete from mart.ticket as ticket
using batch_key
where ticket.account = batch_key.account and ticket.ticket_key = batch_key.ticket_key
