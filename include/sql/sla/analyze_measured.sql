-- In: batch_measured. Out: the planner knows its size; it would guess a few rows.
analyze batch_measured
