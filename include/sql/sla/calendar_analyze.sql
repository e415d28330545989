-- In: mart.calendar_open, grown. Out: the planner knows its size, and looks hours up by index.
analyze mart.calendar_open
