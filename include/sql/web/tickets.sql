-- In: as_of; statuses of those that are not done, ticket_type, marketplace, account, agent (null: any); marketplaces
-- (null: all) and team of the visitor; after_due, after_id: the last row of the page before (null: the first
-- page); at_most: rows. Out: open tickets, the first due first, with the reply clock or, without one, the next that
-- is due.
with asked as (
    select
        %(as_of)s::timestamptz as as_of,
        %(ticket_type)s::text as ticket_type,
        %(marketplace)s::text as marketplace,
        %(account)s::text as account,
        %(agent)s::text as agent,
        %(marketplaces)s::text[] as marketplaces,
        %(team)s::text[] as team,
        %(after_due)s::timestamptz as after_due,
        %(after_id)s::text as after_id
),

periods as (
    select * from mart.ticket_status
    where
        status in ('new', 'open', 'pending', 'on_hold')
        and status = any(%(statuses)s::text[])
        and from_at <= %(as_of)s::timestamptz
        and until_at > %(as_of)s::timestamptz
        -- The same again: PostgreSQL has statistics of this one, and would else expect fifty times as many.
        and case when status in ('new', 'open', 'pending', 'on_hold') then until_at end > %(as_of)s::timestamptz
),

clocks as (
    select * from mart.sla_clock
    where
        started_at <= %(as_of)s::timestamptz
        and (stopped_at is null or stopped_at > %(as_of)s::timestamptz)
),

tickets as (
    select
        ticket.account,
        ticket.ticket_id,
        ticket.marketplace,
        ticket.ticket_type,
        ticket.last_event_at,
        periods.status,
        periods.from_at as status_since,
        next_due.metric,
        next_due.due_at,
        coalesce(next_due.due_at, 'infinity') as sorted_by,
        ticket.account || '/' || ticket.ticket_id as id
    from periods
    inner join mart.ticket as ticket on periods.account = ticket.account and periods.ticket_id = ticket.ticket_id
    left join lateral (
        select
            clocks.metric,
            clocks.due_at
        from clocks
        where clocks.account = ticket.account and clocks.ticket_id = ticket.ticket_id and clocks.due_at is not null
        order by clocks.metric = 'amazon_reply' desc, clocks.due_at asc
        limit 1
    ) as next_due on true
    cross join asked
    where
        (asked.ticket_type is null or ticket.ticket_type = asked.ticket_type)
        and (asked.marketplace is null or ticket.marketplace = asked.marketplace)
        and (asked.account is null or ticket.account = asked.account)
        and (
            asked.marketplaces is null
            or ticket.marketplace = any(asked.marketplaces)
            or exists (
                select 1 from mart.ticket_agent as holder
                where
                    holder.account = ticket.account
                    and holder.ticket_id = ticket.ticket_id
                    and holder.agent = any(asked.team)
            )
        )
        and (
            asked.agent is null
            or exists (
                select 1 from mart.ticket_agent as holder
                where
                    holder.account = ticket.account
                    and holder.ticket_id = ticket.ticket_id
                    and holder.agent = asked.agent
            )
        )
)

select
    tickets.account,
    tickets.ticket_id,
    tickets.marketplace,
    tickets.ticket_type,
    tickets.last_event_at,
    tickets.status,
    tickets.status_since,
    tickets.metric,
    tickets.due_at,
    tickets.sorted_by::text as sorted_by,
    tickets.id,
    count(*) over () as found
from tickets
cross join asked
where
    asked.after_due is null
    or (tickets.sorted_by, tickets.id) > (asked.after_due, asked.after_id)
order by tickets.sorted_by asc, tickets.id asc
limit %(at_most)s
