-- In: accounts and ticket_ids (of one length), marketplaces (null: all) and team of the visitor, as_of. Out: those
-- tickets that the visitor may see, with status and reply clock as of then, newest first.
with visitor as (
    select
        %(marketplaces)s::text[] as marketplaces,
        %(team)s::text[] as team
),

named as (
    select distinct
        given.account,
        given.ticket_id
    from unnest(%(accounts)s::text[], %(ticket_ids)s::text[]) as given (account, ticket_id)
),

periods as (
    select * from mart.ticket_status
    where from_at <= %(as_of)s::timestamptz and until_at > %(as_of)s::timestamptz
),

clocks as (
    select * from mart.sla_clock
    where
        metric = 'amazon_reply'
        and started_at <= %(as_of)s::timestamptz
        and (stopped_at is null or stopped_at > %(as_of)s::timestamptz)
)

select
    ticket.account,
    ticket.ticket_id,
    ticket.marketplace,
    ticket.ticket_type,
    ticket.order_id,
    ticket.case_id,
    ticket.created_at,
    ticket.last_event_at,
    periods.status,
    clocks.due_at
from named
inner join mart.ticket as ticket on named.account = ticket.account and named.ticket_id = ticket.ticket_id
inner join periods on ticket.account = periods.account and ticket.ticket_id = periods.ticket_id
left join clocks on ticket.account = clocks.account and ticket.ticket_id = clocks.ticket_id
cross join visitor
where
    visitor.marketplaces is null
    or ticket.marketplace = any(visitor.marketplaces)
    or exists (
        select 1 from mart.ticket_agent as holder
        where
            holder.account = ticket.account
            and holder.ticket_id = ticket.ticket_id
            and holder.agent = any(visitor.team)
    )
order by ticket.last_event_at desc, ticket.account asc, ticket.ticket_id asc
limit 100
