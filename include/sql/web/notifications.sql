-- In: as_of; marketplaces (null: all) and team of the visitor. Out: performance notifications that are not done, what
-- they are about, until when Amazon wants an answer; the first due first. No personal data.
with asked as (
    select
        %(as_of)s::timestamptz as as_of,
        %(marketplaces)s::text[] as marketplaces,
        %(team)s::text[] as team
),

periods as (
    select * from mart.period_not_done
    where
        ticket_type = 'performance_notification'
        and from_at <= %(as_of)s::timestamptz
        and until_at > %(as_of)s::timestamptz
        and lasts_until > %(as_of)s::timestamptz
),

clocks as (
    select * from mart.sla_clock
    where
        metric = 'notification_deadline'
        and started_at <= %(as_of)s::timestamptz
        and (stopped_at is null or stopped_at > %(as_of)s::timestamptz)
)

select
    ticket.account,
    ticket.ticket_id,
    ticket.marketplace,
    ticket.created_at,
    periods.status,
    clocks.due_at,
    said.issue,
    said.appeal_until
from periods
inner join mart.ticket as ticket on periods.account = ticket.account and periods.ticket_id = ticket.ticket_id
left join clocks on ticket.account = clocks.account and ticket.ticket_id = clocks.ticket_id
left join lateral (
    select
        event.detail ->> 'performance_issue' as issue,
        ops.instant(event.detail ->> 'appeal_until') as appeal_until
    from core.ticket_event as event
    where
        event.account = ticket.account
        and event.ticket_key = ticket.ticket_key
        and event.kind = 'notice'
        and event.occurred_at <= %(as_of)s::timestamptz
    order by event.occurred_at desc
    limit 1
) as said on true
cross join asked
where
    asked.marketplaces is null
    or ticket.marketplace = any(asked.marketplaces)
    or exists (
        select 1 from mart.ticket_agent as holder
        where
            holder.account = ticket.account
            and holder.ticket_id = ticket.ticket_id
            and holder.agent = any(asked.team)
    )
order by clocks.due_at asc nulls last, ticket.account asc, ticket.ticket_id asc
limit 200
