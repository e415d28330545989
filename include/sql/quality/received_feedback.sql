-- In: a batch of feedback, keys of its rows. Out: the lines as received (personal data).
with landed as (
    select * from raw.feedback_received
    where batch_id = %(batch_id)s::bigint and 'line ' || line_number = any(%(row_keys)s::text[])
)

select
    landed.line_number,
    landed.rated_on,
    landed.rating,
    received.comments,
    received.response,
    landed.order_id,
    received.rater_email
from landed
inner join pii.feedback_received as received
    on
        landed.account = received.account
        and landed.batch_id = received.batch_id
        and landed.line_number = received.line_number
order by landed.line_number
