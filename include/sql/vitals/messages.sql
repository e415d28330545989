-- In: as_of; ops.hour_done, pii.outbox, ops.sending_hold. Out: one row: the hour whose worklists were written last
-- (newest_list), messages that are due and not sent, since when the first of them is, messages given up in the day
-- before, since when all sending is held.
select
    (select max(as_of) from ops.hour_done where as_of <= %(as_of)s::timestamptz) as newest_list,
    count(*) filter (where state = 'waiting') as waiting,
    min(available_at) filter (where state = 'waiting') as waiting_since,
    count(*) filter (where state = 'dead') as given_up,
    (select held_at from ops.sending_hold where lifted_at is null) as held_since
from pii.outbox
where
    (state = 'waiting' and available_at <= %(as_of)s::timestamptz)
    or (
        state = 'dead'
        and dead_at > %(as_of)s::timestamptz - interval '1 day'
        and dead_at <= %(as_of)s::timestamptz
    )
