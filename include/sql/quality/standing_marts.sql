-- In: as_of, accounts, always_promised (metrics of every policy); compliance and its cycles, tickets with clocks, the
-- newest worklists. Out: one row an account: by how much the compliance of the day that ended before as_of differs from
-- its cycles (null before it is written); new and open tickets whose buyer waits though no reply clock runs, of tickets
-- with events in the day before as_of (none are looked at where some policy promises no reply); items of worklists
-- without ticket or order.
with accounts as (
    select given.account from unnest(%(accounts)s::text[]) as given (account)
),

made as (
    select
        *,
        (%(as_of)s::timestamptz at time zone 'UTC')::date - 1 as day
    from ops.compliance_made
),

days as (
    select
        day,
        day::timestamp at time zone 'UTC' as day_start,
        (day + 1)::timestamp at time zone 'UTC' as day_end
    from made
    where made_until > day
),

sums as (
    select
        compliance.account,
        compliance.metric,
        sum(compliance.ended) as ended,
        sum(compliance.met) as met,
        sum(compliance.breached) as breached
    from days
    cross join accounts
    inner join mart.compliance as compliance
        on accounts.account = compliance.account and days.day = compliance.starts_on
    where compliance.period = 'day'
    group by compliance.account, compliance.metric
),

ends as (
    select
        cycle.account,
        cycle.metric,
        cycle.is_met
    from days
    cross join accounts
    inner join mart.compliance_cycle as cycle
        on
            accounts.account = cycle.account
            and days.day_start <= cycle.ended_at
            and days.day_end > cycle.ended_at
),

breaches as (
    select
        cycle.account,
        cycle.metric
    from days
    cross join accounts
    inner join mart.compliance_cycle as cycle
        on
            accounts.account = cycle.account
            and days.day_start <= cycle.breached_at
            and days.day_end > cycle.breached_at
),

cycles as (
    select
        account,
        metric,
        1 as ended,
        coalesce(is_met, false)::integer as met,
        0 as breached
    from ends
    union all
    select
        account,
        metric,
        0 as ended,
        0 as met,
        1 as breached
    from breaches
    union all
    select
        account,
        metric,
        -ended as ended,
        -met as met,
        -breached as breached
    from sums
),

differences as (
    select
        account,
        metric,
        abs(sum(ended)) + abs(sum(met)) + abs(sum(breached)) as difference
    from cycles
    group by account, metric
),

compliance as (
    select
        account,
        sum(difference) as difference,
        min(metric) filter (where difference > 0) as example
    from differences
    group by account
),

said as (
    select * from mart.ticket_event
    where
        account = any(%(accounts)s::text[])
        and occurred_at > %(as_of)s::timestamptz - interval '1 day'
        and occurred_at <= %(as_of)s::timestamptz
        and kind in ('buyer_message', 'reply', 'no_response_needed')
        and not is_automatic
),

last_said as (
    select distinct on (account, ticket_key)
        account,
        ticket_key,
        kind,
        %(as_of)s::timestamptz as as_of,
        'amazon_reply' = any(%(always_promised)s::text[]) as is_promised
    from said
    order by account asc, ticket_key asc, occurred_at desc, source_order desc, event_id desc
),

clockless as (
    select
        ticket.account,
        ticket.ticket_id
    from last_said
    inner join mart.ticket as ticket
        on last_said.account = ticket.account and last_said.ticket_key = ticket.ticket_key
    inner join mart.ticket_status as period
        on
            ticket.account = period.account
            and ticket.ticket_id = period.ticket_id
            and last_said.as_of >= period.from_at
            and last_said.as_of < period.until_at
    where
        last_said.is_promised
        and last_said.kind = 'buyer_message'
        and period.status in ('new', 'open')
        and ticket.ticket_type not in ('system_message', 'system_qa')
        and not exists (
            select 1 from mart.sla_clock as clock
            where
                clock.account = ticket.account
                and clock.ticket_id = ticket.ticket_id
                and clock.metric = 'amazon_reply'
                and clock.started_at <= last_said.as_of
                and (clock.stopped_at is null or clock.stopped_at > last_said.as_of)
        )
),

waiting as (
    select
        account,
        count(*) as tickets,
        min(ticket_id) as example
    from clockless
    group by account
),

newest as (
    select max(as_of) as as_of from mart.worklist_item
    where as_of <= %(as_of)s::timestamptz
),

items as (
    select
        item.account,
        count(*) as items,
        min(coalesce(item.ticket_id, item.order_id)) as example
    from mart.worklist_item as item
    left join mart.ticket as ticket on item.account = ticket.account and item.ticket_id = ticket.ticket_id
    left join core.amazon_order as known on item.account = known.account and item.order_id = known.order_id
    where
        item.as_of = (select newest.as_of from newest)
        and ticket.ticket_id is null
        and (item.ticket_id is not null or known.order_id is null)
    group by item.account
)

select
    accounts.account,
    'all' as scope,
    compliance.difference as compliance_difference,
    'such as of ' || compliance.example as compliance_difference_because,
    coalesce(waiting.tickets, 0) as tickets_without_clock,
    'such as ' || waiting.example as tickets_without_clock_because,
    coalesce(items.items, 0) as items_without_ticket,
    'such as of ' || items.example as items_without_ticket_because
from accounts
left join compliance on accounts.account = compliance.account
left join waiting on accounts.account = waiting.account
left join items on accounts.account = items.account
