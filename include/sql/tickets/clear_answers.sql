-- In: batch_key. Out: mart.ticket, mart.ticket_status and mart.ticket_refusal hold nothing about these keys.
with cleared_periods as (
    delete from mart.ticket_status as period
    using batch_key
    where period.account = batch_key.account and period.ticket_key = batch_key.ticket_key
),

cleared_refusals as (
    delete from mart.ticket_refusal as refusal
    using batch_key
    where refusal.account = batch_key.account and refusal.ticket_key = batch_key.ticket_key
)

delete from mart.ticket as ticket
using batch_key
where ticket.account = batch_key.account and ticket.ticket_key = batch_key.ticket_key
