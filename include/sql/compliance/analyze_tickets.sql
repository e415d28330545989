-- In: batch_ticket. Out: the planner knows how many they are.
analyze batch_ticket
