-- In: batch_period. Out: the planner knows how few or many they are.
analyze batch_period
