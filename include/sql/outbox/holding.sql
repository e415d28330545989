-- In: ops.sending_hold, ops.outbox. Out: the hold on all sending, if there is one, and how many messages wait.
select
    held_at,
    reason,
    (
        select count(*) from ops.outbox as message
        where message.state = 'waiting'
    ) as waiting
from ops.sending_hold
where lifted_at is null
