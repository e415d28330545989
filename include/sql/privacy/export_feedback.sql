-- In: account, order_id. Out: the buyer's feedback, and its words. Personal data.
with rated as (
    select * from core.feedback
    where account = %(account)s and order_id = %(order_id)s
)

select
    rated.rating,
    rated.rated_on,
    rated.first_seen_at,
    rated.changed_at,
    rated.removed_at as taken_back_at,
    words.comments,
    words.response,
    words.rater_email
from rated
left join pii.feedback as words on rated.account = words.account and rated.order_id = words.order_id
