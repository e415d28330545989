-- In: the outbox of 0001. Out: the same among the personal data: worklists quote buyers, and recipients are people.
alter table ops.outbox set schema pii;
comment on schema ops is 'Batches, watermarks, quarantine, checks, calls, holds';
