-- In: batch_cycle. Out: the planner knows its size; it would guess a few rows.
analyze batch_cycle
