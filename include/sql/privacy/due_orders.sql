-- In: as_of and spans; orders with personal data; privacy_held. Out: temporary table privacy_due_order, numbered
-- from 1. Due: delivered (see core.delivered_at) so long ago, and in no ticket that is held. Feedback on an order of
-- which nothing is known is due by when it was last told.
create temporary table privacy_due_order as
with rules as (
    select
        %(as_of)s::timestamptz as as_of,
        %(orders_kept)s::interval as orders_kept,
        %(delivery_within)s::interval as delivery_within,
        %(shipping_within)s::interval as shipping_within,
        %(messages_kept)s::interval as messages_kept
),

personal as (
    select
        account,
        order_id
    from pii.order_contact
    where removed_at is null
    union
    select
        account,
        order_id
    from pii.order_received
    union
    select
        account,
        order_id
    from pii.feedback
    union
    select
        line.account,
        line.order_id
    from pii.feedback_received as received
    inner join raw.feedback_received as line
        on
            received.account = line.account
            and received.batch_id = line.batch_id
            and received.line_number = line.line_number
),

aged as (
    select
        personal.account,
        personal.order_id,
        coalesce(
            core.delivered_at(placed, rules.delivery_within, rules.shipping_within) + rules.orders_kept,
            greatest(rated.first_seen_at, rated.changed_at) + rules.messages_kept
        ) as due_at
    from personal
    cross join rules
    left join core.amazon_order as placed
        on personal.account = placed.account and personal.order_id = placed.order_id
    left join core.feedback as rated
        on personal.account = rated.account and personal.order_id = rated.order_id
)

select
    row_number() over (order by aged.account, aged.order_id) as number,
    aged.account,
    aged.order_id
from aged
cross join rules
where
    aged.due_at <= rules.as_of
    and not exists (
        select 1 from privacy_held as held
        where held.account = aged.account and held.order_id = aged.order_id
    )
