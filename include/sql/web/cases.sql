-- In: as_of; marketplaces (null: all) and team of the visitor. Out: cases with Amazon's Seller Support that are not
-- done, with what Amazon said last of their status and when somebody is to chase them; the first to chase first. No
-- personal data.
with asked as (
    select
        %(as_of)s::timestamptz as as_of,
        %(marketplaces)s::text[] as marketplaces,
        %(team)s::text[] as team
),

periods as (
    select * from mart.period_not_done
    where
        ticket_type = 'case_update'
        and from_at <= %(as_of)s::timestamptz
        and until_at > %(as_of)s::timestamptz
        and lasts_until > %(as_of)s::timestamptz
),

clocks as (
    select * from mart.sla_clock
    where
        metric = 'case_follow_up'
        and started_at <= %(as_of)s::timestamptz
        and (stopped_at is null or stopped_at > %(as_of)s::timestamptz)
)

select
    ticket.account,
    ticket.ticket_id,
    ticket.marketplace,
    ticket.case_id,
    ticket.created_at,
    ticket.last_event_at,
    periods.status,
    clocks.due_at,
    said.case_status,
    mail.mail_id,
    array(
        select distinct holder.agent from mart.ticket_agent as holder
        where
            holder.account = ticket.account
            and holder.ticket_id = ticket.ticket_id
            and holder.since <= asked.as_of
        order by holder.agent
    ) as agents
from periods
inner join mart.ticket as ticket on periods.account = ticket.account and periods.ticket_id = ticket.ticket_id
left join clocks on ticket.account = clocks.account and ticket.ticket_id = clocks.ticket_id
left join lateral (
    select event.detail ->> 'case_status' as case_status
    from core.ticket_event as event
    where
        event.account = ticket.account
        and event.ticket_key = ticket.ticket_key
        and event.occurred_at <= %(as_of)s::timestamptz
        and event.detail ? 'case_status'
    order by event.occurred_at desc
    limit 1
) as said on true
left join lateral (
    select filed.mail_id from core.mail as filed
    where filed.account = ticket.account and filed.ticket_key = ticket.ticket_key
    order by filed.sent_at desc
    limit 1
) as mail on true
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
