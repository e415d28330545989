-- In: as_of, accounts; batches of orders of the day before as_of that were published, events of that day. Out: one row
-- an account with any: their orders that are not known, or have no items, or of which more was shipped than ordered;
-- and tickets' orders that are not known, not even as placeholders.
with batches as (
    select * from ops.batch
    where
        account = any(%(accounts)s::text[])
        and dataset in ('orders', 'order_report')
        and window_end > %(as_of)s::timestamptz - interval '1 day'
        and window_end <= %(as_of)s::timestamptz
        and published_at is not null
),

landed as (
    select
        received.account,
        received.order_id,
        received.batch_id,
        received.order_id as row_key
    from batches
    inner join raw.order_received as received on batches.batch_id = received.batch_id
    union all
    select
        line.account,
        line.order_id,
        line.batch_id,
        'line ' || line.line_number as row_key
    from batches
    inner join raw.order_report_row as line on batches.batch_id = line.batch_id
),

orders as (
    select distinct
        landed.account,
        landed.order_id
    from landed
    where
        not exists (
            select 1 from ops.quarantine as aside
            where aside.batch_id = landed.batch_id and aside.row_key = landed.row_key
        )
),

linked as (
    select
        orders.account,
        orders.order_id,
        known.order_id is null or known.is_placeholder as is_unknown,
        not exists (
            select 1 from core.amazon_order_item as item
            where item.account = orders.account and item.order_id = orders.order_id
        ) as is_empty,
        exists(
            select 1 from core.amazon_order_item_progress as progress
            where
                progress.account = orders.account
                and progress.order_id = orders.order_id
                and progress.quantity_shipped > progress.quantity
        ) as is_overshipped
    from orders
    left join core.amazon_order as known on orders.account = known.account and orders.order_id = known.order_id
),

checked_orders as (
    select
        account,
        count(*) filter (where is_unknown) as unknown_orders,
        min(order_id) filter (where is_unknown) as unknown_order,
        count(*) filter (where is_empty) as orders_without_items,
        min(order_id) filter (where is_empty) as empty_order,
        count(*) filter (where is_overshipped) as orders_overshipped,
        min(order_id) filter (where is_overshipped) as overshipped_order
    from linked
    group by account
),

events as (
    select distinct
        account,
        order_id
    from core.ticket_event
    where
        account = any(%(accounts)s::text[])
        and occurred_at > %(as_of)s::timestamptz - interval '1 day'
        and occurred_at <= %(as_of)s::timestamptz
        and order_id is not null
),

checked_tickets as (
    select
        events.account,
        count(*) filter (where known.order_id is null) as ticket_orders_unknown,
        min(events.order_id) filter (where known.order_id is null) as ticket_order
    from events
    left join core.amazon_order as known on events.account = known.account and events.order_id = known.order_id
    group by events.account
)

select
    coalesce(checked_orders.account, checked_tickets.account) as account,
    'all' as scope,
    coalesce(checked_orders.unknown_orders, 0) as unknown_orders,
    'such as ' || checked_orders.unknown_order as unknown_orders_because,
    coalesce(checked_orders.orders_without_items, 0) as orders_without_items,
    'such as ' || checked_orders.empty_order as orders_without_items_because,
    coalesce(checked_orders.orders_overshipped, 0) as orders_overshipped,
    'such as ' || checked_orders.overshipped_order as orders_overshipped_because,
    coalesce(checked_tickets.ticket_orders_unknown, 0) as ticket_orders_unknown,
    'such as ' || checked_tickets.ticket_order as ticket_orders_unknown_because
from checked_orders
full join checked_tickets on checked_orders.account = checked_tickets.account
