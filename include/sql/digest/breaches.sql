-- In: accounts, since, until (instants), places (marketplaces; null: all). Out: reply clocks that were breached
-- then, with what the facts prove of the cause as it was at the due instant, and who answered after all; the latest
-- breach first.
with breached as (
    select
        *,
        case when ended_at < %(until)s::timestamptz then ended_at end as answered_at
    from mart.compliance_cycle
    where
        account = any(%(accounts)s::text[])
        and metric = 'amazon_reply'
        and breached_at >= %(since)s::timestamptz
        and breached_at < %(until)s::timestamptz
        and (%(places)s::text[] is null or marketplace = any(%(places)s::text[]))
),

answers as (
    select
        breached.account,
        breached.ticket_id,
        breached.ticket_key,
        breached.marketplace,
        breached.ticket_type,
        breached.cycle,
        breached.started_at,
        breached.breached_at,
        case when breached.answered_at is not null then breached.agent end as answered_by,
        extract(epoch from breached.answered_at - breached.started_at)::double precision as took_seconds,
        holder.since is not null and holder.since <= breached.breached_at as had_agent,
        period.status,
        bounced.event_id is not null as has_bounced,
        extract(isodow from breached.started_at at time zone 'UTC') >= 6 as began_at_weekend
    from breached
    left join lateral (
        select min(ticket_agent.since) as since from mart.ticket_agent as ticket_agent
        where ticket_agent.account = breached.account and ticket_agent.ticket_id = breached.ticket_id
    ) as holder on true
    left join lateral (
        select ticket_status.status from mart.ticket_status as ticket_status
        where
            ticket_status.account = breached.account
            and ticket_status.ticket_id = breached.ticket_id
            and ticket_status.from_at <= breached.breached_at
            and ticket_status.until_at > breached.breached_at
    ) as period on true
    left join lateral (
        select event.event_id from mart.ticket_event as event
        where
            event.account = breached.account
            and event.ticket_key = breached.ticket_key
            and event.kind = 'delivery_failure'
            and event.occurred_at > breached.started_at
            and event.occurred_at <= breached.breached_at
        order by event.event_id
        limit 1
    ) as bounced on true
)

select
    account,
    ticket_id,
    marketplace,
    ticket_type,
    cycle,
    started_at,
    breached_at,
    took_seconds,
    answered_by,
    case
        when has_bounced then 'reply_bounced'
        when status = 'solved' then 'solved_without_reply'
        when status = 'on_hold' then 'on_hold'
        when not had_agent then 'nobody_had_it'
        when began_at_weekend then 'came_at_weekend'
        else 'not_answered_in_time'
    end as cause
from answers
order by breached_at desc, account asc, ticket_id asc
