-- In: marts of the fold, written anew. Out: the planner knows how large they are.
analyze mart.ticket, mart.ticket_status, mart.sla_clock, mart.sla_pause
