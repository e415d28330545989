-- In: the fold's temporary tables so far. Out: the planner knows their sizes; it would guess a few rows.
analyze batch_event, batch_transition, batch_subject, batch_rule, batch_period, batch_exchange
