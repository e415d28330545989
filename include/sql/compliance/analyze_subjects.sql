-- In: batch_subject. Out: the planner knows how few or many they are.
analyze batch_subject
