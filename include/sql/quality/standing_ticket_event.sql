-- In: as_of, accounts; core.ticket_event, tickets and their status periods. Out: one row an account with events of the
-- day before as_of or later: events further ahead than an hour, events that no ticket has though they were folded, and
-- periods of their tickets that do not follow one another. An event is ahead of as_of and of its own landing; so an old
-- as_of does not take for the future what was known only later.
with events as (
    select
        *,
        occurred_at > greatest(landed_at, %(as_of)s::timestamptz) + interval '1 hour' as is_ahead,
        occurred_at <= %(as_of)s::timestamptz as is_past
    from core.ticket_event
    where account = any(%(accounts)s::text[]) and occurred_at > %(as_of)s::timestamptz - interval '1 day'
),

homeless as (
    select
        events.account,
        count(*) as events,
        min(events.ticket_key) as example
    from events
    left join mart.ticket_merged as merged
        on events.account = merged.account and events.ticket_key = merged.ticket_key
    where
        events.is_past
        and not exists (
            select 1 from mart.ticket as ticket
            where ticket.account = events.account and ticket.ticket_key = coalesce(merged.into_key, events.ticket_key)
        )
        and not exists (
            select 1 from ops.ticket_touched as touched
            where touched.account = events.account and touched.ticket_key = events.ticket_key
        )
    group by events.account
),

keys as (
    select distinct
        account,
        ticket_key
    from events
    where is_past
),

periods as (
    select
        keys.account,
        ticket.ticket_id,
        period.from_at,
        period.until_at,
        lag(period.until_at) over (
            partition by keys.account, ticket.ticket_id order by period.from_at
        ) as until_before
    from keys
    inner join mart.ticket as ticket on keys.account = ticket.account and keys.ticket_key = ticket.ticket_key
    inner join mart.ticket_status as period
        on ticket.account = period.account and ticket.ticket_id = period.ticket_id
),

broken as (
    select
        account,
        count(*) as periods,
        min(ticket_id) as example
    from periods
    where until_at <= from_at or until_before <> from_at
    group by account
),

counted as (
    select
        account,
        count(*) filter (where is_ahead) as ahead,
        min(source || ' ' || source_id) filter (where is_ahead) as example
    from events
    group by account
)

select
    counted.account,
    'all' as scope,
    counted.ahead as events_ahead,
    'such as ' || counted.example as events_ahead_because,
    coalesce(homeless.events, 0) as events_without_ticket,
    'such as of ' || homeless.example as events_without_ticket_because,
    coalesce(broken.periods, 0) as broken_periods,
    'such as of ' || broken.example as broken_periods_because
from counted
left join homeless on counted.account = homeless.account
left join broken on counted.account = broken.account
