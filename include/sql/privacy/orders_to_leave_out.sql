-- In: a landed batch of orders, their dates; ops.removal. Out: those of its orders whose personal data is not to be
-- kept: it was removed before, or was due when the newest removal ran (by its rule) and no ticket in work is about
-- the order.
with newest as (
    select * from ops.removal_run
    where rule = 'retention'
    order by as_of desc, run_id desc
    limit 1
),

landed as (
    select
        account,
        order_id,
        payload
    from raw.order_received
    where batch_id = %(batch_id)s::bigint
),

removed as (
    select landed.order_id
    from landed
    where
        exists (
            select 1 from ops.removal as removal
            where removal.account = landed.account and removal.kind = 'order' and removal.key = landed.order_id
        )
),

due as (
    select
        landed.account,
        landed.order_id
    from landed
    cross join newest
    where
        core.delivered_at(
            landed.payload #>> '{fulfillment, fulfillmentStatus}',
            ops.instant(landed.payload ->> 'lastUpdatedTime'),
            ops.instant(landed.payload ->> 'createdTime'),
            ops.instant(landed.payload #>> '{fulfillment, shipByWindow, latestDateTime}'),
            (
                select min(ops.instant(time_shipped.value #>> '{}'))
                from jsonb_path_query(landed.payload, 'lax $.packages[*].shipTime') as time_shipped (value)
            ),
            ops.instant(landed.payload #>> '{fulfillment, deliverByWindow, latestDateTime}'),
            newest.delivery_within,
            newest.shipping_within
        ) + newest.orders_kept <= newest.as_of
)

select order_id from removed
union
select due.order_id from due
where
    not exists (
        select 1 from mart.ticket as ticket
        inner join mart.ticket_status as period
            on ticket.account = period.account and ticket.ticket_id = period.ticket_id
        where
            ticket.account = due.account
            and ticket.order_id = due.order_id
            and period.status in ('new', 'open', 'pending', 'on_hold')
            and period.until_at = 'infinity'
    )
