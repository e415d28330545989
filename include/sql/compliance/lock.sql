-- In: nothing. Out: nothing. Waits for folds that have noted their tickets, and for whoever else writes compliance.
lock table ops.compliance_touched in share row exclusive mode
