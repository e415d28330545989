-- In: account and ticket_key (null: all), after (event_id; 0: from the first on), until (as of), at_most; marketplaces
-- (null: all) and team of the visitor. Out: what happened to tickets, in the order in which it was recorded; no
-- personal data. What is younger than a transaction that has not ended is left for the next time, so that whoever goes
-- on after the last event_id misses nothing.
with visitor as (
    select
        %(marketplaces)s::text[] as marketplaces,
        %(team)s::text[] as team
),

-- Keys whose events belong to the ticket; none where all tickets are asked for.
keys as (
    select %(ticket_key)s::text as ticket_key
    union all
    select ticket_key from mart.ticket_merged
    where account = %(account)s::text and into_key = %(ticket_key)s::text
),

wanted as (
    select event.*
    from core.ticket_event as event
    where
        event.event_id > %(after)s::bigint
        and event.occurred_at <= %(until)s::timestamptz
        and age(event.xmin) > age(pg_snapshot_xmin(pg_current_snapshot())::xid)
        and (%(account)s::text is null or event.account = %(account)s)
        and (%(ticket_key)s::text is null or event.ticket_key in (select keys.ticket_key from keys))
)

select
    wanted.event_id,
    wanted.account,
    wanted.source,
    wanted.source_id,
    wanted.ticket_key,
    wanted.marketplace,
    wanted.kind,
    wanted.ticket_type,
    wanted.occurred_at,
    wanted.landed_at,
    wanted.actor,
    wanted.order_id,
    wanted.case_id,
    wanted.is_automatic,
    wanted.detail
from wanted
cross join visitor
where
    visitor.marketplaces is null
    or wanted.marketplace = any(visitor.marketplaces)
    or exists (
        select 1 from mart.ticket_agent as holder
        where
            holder.account = wanted.account
            and holder.ticket_key = wanted.ticket_key
            and holder.agent = any(visitor.team)
    )
order by wanted.event_id
limit %(at_most)s
