-- In: as_of; statuses of those that are not done, ticket_type, marketplace, account, agent (null: any); marketplaces
-- (null: all) and team of the visitor; after_due, after_id: the last row of the page before (null: the first page);
-- at_most: rows (null: all). Out: open tickets, the first due first, with the reply clock or, without one, the next
-- that is due. What is said of a ticket is looked up for those of the page only.
with asked as not materialized (
    select
        %(agent)s::text as agent,
        %(marketplaces)s::text[] as marketplaces,
        %(team)s::text[] as team
),

not_done as (
    select * from mart.period_not_done
    where
        status = any(%(statuses)s::text[])
        and (%(account)s::text is null or account = %(account)s)
        and (%(ticket_type)s::text is null or ticket_type = %(ticket_type)s)
        and (%(marketplace)s::text is null or marketplace = %(marketplace)s)
        and from_at <= %(as_of)s::timestamptz
        and until_at > %(as_of)s::timestamptz
        and lasts_until > %(as_of)s::timestamptz
),

-- By the events, as these are found by agent; whether the agent has the ticket is asked for those few.
told as (
    select distinct
        account,
        ticket_key,
        detail ->> 'agent' as agent
    from mart.ticket_event
    where
        kind = 'assign'
        and detail ->> 'agent' = any(
            case when %(marketplaces)s::text[] is null then '{}' else %(team)s::text[] end || %(agent)s::text
        )
),

assigned as (
    select
        not_done.account,
        not_done.ticket_id,
        told.agent
    from not_done
    inner join told on not_done.account = told.account and not_done.ticket_key = told.ticket_key
    where
        exists (
            select 1 from mart.ticket_agent as holder
            where
                holder.account = not_done.account
                and holder.ticket_id = not_done.ticket_id
                and holder.agent = told.agent
        )
),

narrowed as (
    select not_done.*
    from not_done
    cross join asked
    where
        (
            asked.agent is null
            or exists (
                select 1 from assigned
                where
                    assigned.account = not_done.account
                    and assigned.ticket_id = not_done.ticket_id
                    and assigned.agent = asked.agent
            )
        )
        and (
            asked.marketplaces is null
            or not_done.marketplace = any(asked.marketplaces)
            or exists (
                select 1 from assigned
                where
                    assigned.account = not_done.account
                    and assigned.ticket_id = not_done.ticket_id
                    and assigned.agent = any(asked.team)
            )
        )
),

running as not materialized (
    select
        account,
        ticket_id,
        metric,
        due_at
    from mart.sla_clock
    where
        due_at is not null
        and started_at <= %(as_of)s::timestamptz
        and coalesce(stopped_at, 'infinity') > %(as_of)s::timestamptz
),

next_due as (
    select
        account,
        ticket_id,
        coalesce(min(due_at) filter (where metric = 'amazon_reply'), min(due_at)) as due_at
    from running
    group by account, ticket_id
),

sorted as (
    select
        narrowed.*,
        next_due.due_at,
        coalesce(next_due.due_at, 'infinity') as sorted_by,
        narrowed.account || '/' || narrowed.ticket_id as id
    from narrowed
    left join next_due on narrowed.account = next_due.account and narrowed.ticket_id = next_due.ticket_id
),

page as (
    select
        *,
        count(*) over () as found
    from sorted
    where
        %(after_due)s::timestamptz is null
        or (sorted_by, id) > (%(after_due)s::timestamptz, %(after_id)s::text)
    order by sorted_by asc, id asc
    limit %(at_most)s
)

select
    page.account,
    page.ticket_id,
    page.marketplace,
    page.ticket_type,
    ticket.last_event_at,
    page.status,
    page.from_at as status_since,
    clock.metric,
    page.due_at,
    page.sorted_by::text as sorted_by,
    page.id,
    page.found
from page
inner join mart.ticket as ticket on page.account = ticket.account and page.ticket_id = ticket.ticket_id
left join lateral (
    select running.metric from running
    where running.account = page.account and running.ticket_id = page.ticket_id and running.due_at = page.due_at
    order by running.metric = 'amazon_reply' desc, running.metric asc
    limit 1
) as clock on true
order by page.sorted_by asc, page.id asc
