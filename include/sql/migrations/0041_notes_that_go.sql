-- In: the outbox of 0033, the hours of 0015. Out: their descriptions say how long they are kept.
comment on table ops.hour_done is 'Hours whose worklists were written by a live run: so that a late one is missed. '
'Kept as long as the worklists; the newest for good.';
comment on column pii.outbox.emptied_at is 'Since then its words and attachments are gone; that it was sent stays as '
'long as the worklists.';
