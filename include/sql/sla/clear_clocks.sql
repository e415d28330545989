-- In: batch_key. Out: mart.sla_clock and mart.sla_pause hold nothing about these keys.
with cleared_pauses as (
    delete from mart.sla_pause as pause
    using batch_key
    where pause.account = batch_key.account and pause.ticket_key = batch_key.ticket_key
)

delete from mart.sla_clock as clock
using batch_key
where clock.account = batch_key.account and clock.ticket_key = batch_key.ticket_key
