-- In: batch_cycle. Out: the planner knows how few or many they are.
analyze batch_cycle
