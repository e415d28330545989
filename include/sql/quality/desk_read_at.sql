-- In: a batch of a desk's actions. Out: when its file was read: nothing in it was done later.
with landed as (
    select * from ops.batch
    where batch_id = %(batch_id)s::bigint
),

actions as (
    select min(read_at) as read_at from raw.desk_action
    where batch_id = %(batch_id)s::bigint
)

select coalesce(actions.read_at, landed.landed_at) as read_at
from landed
cross join actions
