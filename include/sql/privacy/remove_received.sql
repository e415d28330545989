-- In: before, together. Out: of so many rows landed before then what sources brought of people (orders, feedback,
-- desks' actions) is gone: facts were made of it long ago, or it waits in vain. Mail has a step of its own. Returns
-- how many.
with old as (
    select batch_id from ops.batch
    where landed_at <= %(before)s::timestamptz
),

some_orders as (
    select
        landed.account,
        landed.order_id,
        landed.batch_id
    from pii.order_received as landed
    inner join old on landed.batch_id = old.batch_id
    order by landed.account, landed.order_id, landed.batch_id
    limit %(together)s
),

orders as (
    delete from pii.order_received as landed
    using some_orders as due
    where landed.account = due.account and landed.order_id = due.order_id and landed.batch_id = due.batch_id
    returning landed.batch_id
),

some_feedback as (
    select
        landed.account,
        landed.batch_id,
        landed.line_number
    from pii.feedback_received as landed
    inner join old on landed.batch_id = old.batch_id
    order by landed.account, landed.batch_id, landed.line_number
    limit %(together)s
),

feedback as (
    delete from pii.feedback_received as landed
    using some_feedback as due
    where landed.account = due.account and landed.batch_id = due.batch_id and landed.line_number = due.line_number
    returning landed.batch_id
),

some_actions as (
    select
        landed.account,
        landed.batch_id,
        landed.line_number
    from pii.desk_action as landed
    inner join old on landed.batch_id = old.batch_id
    order by landed.account, landed.batch_id, landed.line_number
    limit %(together)s
),

actions as (
    delete from pii.desk_action as landed
    using some_actions as due
    where landed.account = due.account and landed.batch_id = due.batch_id and landed.line_number = due.line_number
    returning landed.batch_id
)

select
    (select count(*) from orders)
    + (select count(*) from feedback)
    + (select count(*) from actions) as entries
