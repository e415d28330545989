-- In: a landed batch of feedback; ops.removal. Out: lines whose words are not to be kept: they were removed with their
-- order, and have not been edited since.
with landed as (
    select * from raw.feedback_received
    where batch_id = %(batch_id)s::bigint
)

select landed.line_number
from landed
inner join core.feedback as known on landed.account = known.account and landed.order_id = known.order_id
left join pii.feedback as words on landed.account = words.account and landed.order_id = words.order_id
where
    words.order_id is null
    and known.comments_key = landed.comments_key
    and known.response_key = landed.response_key
    and exists (
        select 1 from ops.removal as removal
        where removal.account = landed.account and removal.kind = 'order' and removal.key = landed.order_id
    )
