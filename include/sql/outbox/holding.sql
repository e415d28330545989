-- In: ops.sending_hold, pii.outbox. Out: the hold on all sending, if there is one, and how many messages wait.
select
    held_at,
    reason,
    (
        select count(*) from pii.outbox as message
        where message.state = 'waiting'
    ) as waiting
from ops.sending_hold
where lifted_at is null
