-- In: what was pulled, of 0019. Out: the same says of mailboxes and desks, too, how far they are read.
comment on column ops.pulled.source is 'orders (by search), order_report, feedback, account_health; mailbox and desk, '
'whose span grows from the first reading on: their own position leaves no gaps.';
comment on column ops.pulled.scope is 'Amazon''s region; of feedback the marketplace; connection of the mailbox; desk.';
