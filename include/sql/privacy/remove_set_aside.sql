-- In: as_of and spans; lines in quarantine; privacy_held. Out: lines are gone that name an order delivered so long ago
-- and not held or, where no such order is named, that were set aside so long ago; returns how many. The entries stay.
with rules as (
    select
        %(as_of)s::timestamptz as as_of,
        %(orders_kept)s::interval as orders_kept,
        %(delivery_within)s::interval as delivery_within,
        %(shipping_within)s::interval as shipping_within,
        %(messages_kept)s::interval as messages_kept
),

lines as (
    select
        content.quarantine_id,
        aside.set_aside_at,
        aside.account,
        (regexp_match(content.content, '\d{3}-\d{7}-\d{7}'))[1] as order_id
    from pii.quarantined_row as content
    inner join ops.quarantine as aside on content.quarantine_id = aside.quarantine_id
),

due as (
    select lines.quarantine_id
    from lines
    cross join rules
    left join core.amazon_order as placed on lines.account = placed.account and lines.order_id = placed.order_id
    where
        coalesce(
            core.delivered_at(placed, rules.delivery_within, rules.shipping_within) + rules.orders_kept,
            lines.set_aside_at + rules.messages_kept
        ) <= rules.as_of
        and not exists (
            select 1 from privacy_held as held
            where held.account = lines.account and held.order_id = lines.order_id
        )
),

gone as (
    delete from pii.quarantined_row as content
    using due
    where content.quarantine_id = due.quarantine_id
    returning 1
)

select count(*) as entries from gone
