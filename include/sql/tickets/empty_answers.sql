-- In: nothing. Out: empty marts of the fold.
truncate mart.ticket, mart.ticket_status, mart.ticket_refusal, mart.ticket_merged, mart.sla_clock, mart.sla_pause
