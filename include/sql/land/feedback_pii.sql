-- In: feedback that the batches changed, and its landed words. Out: pii.feedback has the newest ones. Unchanged
-- feedback is left alone: what was forgotten stays so.
insert into pii.feedback (account, order_id, comments, response, rater_email)
with changed as (
    select distinct
        account,
        order_id
    from core.feedback_change
    where batch_id = any(%(batch_ids)s::bigint[]) and kind <> 'removed'
)

select
    f.account,
    f.order_id,
    words.comments,
    words.response,
    words.rater_email
from changed
inner join core.feedback as f on changed.account = f.account and changed.order_id = f.order_id
inner join pii.feedback_received as words
    on f.account = words.account and f.batch_id = words.batch_id and f.line_number = words.line_number
order by f.account, f.order_id
on conflict (account, order_id) do update
    set
        comments = excluded.comments,
        response = excluded.response,
        rater_email = excluded.rater_email
