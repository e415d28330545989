-- In: as_of; ops.hour_done, pii.outbox, ops.sending_hold. Out: one row: the hour whose worklists were written last
-- (newest_list), messages that are due and not sent, since when the first of them is, messages given up in the day
-- before, since when all sending is held.
with lists as (
    select max(as_of) as newest_list from ops.hour_done
    where as_of <= %(as_of)s::timestamptz
),

waiting as (
    select
        count(*) as waiting,
        min(available_at) as waiting_since
    from pii.outbox
    where state = 'waiting' and available_at <= %(as_of)s::timestamptz
),

dead as (
    select count(*) as given_up from pii.outbox
    where
        state = 'dead'
        and dead_at > %(as_of)s::timestamptz - interval '1 day'
        and dead_at <= %(as_of)s::timestamptz
),

holding as (
    select max(held_at) as held_since from ops.sending_hold
    where lifted_at is null
)

select
    lists.newest_list,
    waiting.waiting,
    waiting.waiting_since,
    dead.given_up,
    holding.held_since
from lists
cross join waiting
cross join dead
cross join holding
