-- In: as_of, ship_soon (span); tickets, clocks and orders as of then; quarantine, outbox as they are. Out: one row of
-- counts, and when the longest-waiting buyer began to wait. What began before the account went live counts as a
-- ticket, not as waiting.
with periods as (
    select * from mart.ticket_status
    where from_at <= %(as_of)s::timestamptz and until_at > %(as_of)s::timestamptz
),

statuses as (
    select
        status,
        count(*) as tickets
    from periods
    group by status
),

status_counts as (
    select coalesce(jsonb_object_agg(status, tickets), '{}') as tickets from statuses
),

starts as (
    select * from core.account_start
),

running_clocks as (
    select
        *,
        due_at < %(as_of)s::timestamptz as is_breached,
        due_at >= %(as_of)s::timestamptz and warn_at <= %(as_of)s::timestamptz as is_at_risk
    from mart.sla_clock
    where
        metric = 'amazon_reply'
        and started_at <= %(as_of)s::timestamptz
        and (stopped_at is null or stopped_at > %(as_of)s::timestamptz)
),

waiting as (
    select
        count(*) filter (where clock.is_breached) as breached,
        count(*) filter (where clock.is_at_risk) as at_risk,
        min(clock.started_at) as waiting_since
    from running_clocks as clock
    inner join periods on clock.account = periods.account and clock.ticket_id = periods.ticket_id
    left join starts on clock.account = starts.account
    where
        periods.status <> 'closed'
        and (starts.live_since is null or clock.started_at >= starts.live_since)
),

solved as (
    select count(*) as auto_solved from mart.ticket_status
    where
        cause = 'auto_solve'
        and from_at > %(as_of)s::timestamptz - interval '24 hours'
        and from_at <= %(as_of)s::timestamptz
),

orders as (
    select
        count(*) as orders_to_ship,
        count(*) filter (where ship_by_at < %(as_of)s::timestamptz) as orders_late,
        count(*) filter (
            where
            ship_by_at >= %(as_of)s::timestamptz
            and ship_by_at <= %(as_of)s::timestamptz + %(ship_soon)s::interval
        ) as orders_soon
    from core.unshipped_order(%(as_of)s::timestamptz)
),

unknown_mail as (
    select count(*) as mail_to_decide
    from periods
    inner join mart.ticket as ticket
        on periods.account = ticket.account and periods.ticket_id = ticket.ticket_id
    left join starts on periods.account = starts.account
    where
        ticket.ticket_type = 'unknown_mail'
        and periods.status in ('new', 'open')
        and (starts.live_since is null or periods.from_at >= starts.live_since)
),

set_aside as (
    select count(*) as quarantined from ops.quarantine
    where settled_at is null
),

messages as (
    select
        count(*) filter (where state = 'sent') as messages_sent,
        count(*) filter (where state = 'waiting') as messages_waiting,
        count(*) filter (where state = 'dead') as messages_dead
    from pii.outbox
)

select
    status_counts.tickets,
    waiting.breached,
    waiting.at_risk,
    waiting.waiting_since,
    solved.auto_solved,
    orders.orders_to_ship,
    orders.orders_late,
    orders.orders_soon,
    unknown_mail.mail_to_decide,
    set_aside.quarantined,
    messages.messages_sent,
    messages.messages_waiting,
    messages.messages_dead
from status_counts
cross join waiting
cross join solved
cross join orders
cross join unknown_mail
cross join set_aside
cross join messages
