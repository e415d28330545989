-- In: nothing. Out: nothing. Waits for whoever writes ticket events (they touch tickets in the same
-- transaction) and lets nobody touch a ticket until this fold commits: no event can slip between claiming
-- and folding.
lock table ops.ticket_touched in share row exclusive mode
