-- In: batch_ticket. Out: the planner knows how few or many they are.
analyze batch_ticket
