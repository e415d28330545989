-- In: as_of, previous (an hour before, or null), lists (agent, team, desk, marketplace); mart.worklist. Out: that
-- hour's lists, in their order; with whether an item was on the list of the previous hour. A reply that is due at
-- another time is another one.
with listed as (
    select
        *,
        %(previous)s::timestamptz is not null as has_previous
    from mart.worklist
    where as_of = %(as_of)s::timestamptz and list = any(%(lists)s::text[])
),

before as (
    select
        list,
        name,
        section,
        account,
        ticket_id,
        order_id,
        case when section = 'reply_now' then due_at end as asked_for
    from mart.worklist
    where as_of = %(previous)s::timestamptz and list = any(%(lists)s::text[])
)

select
    listed.list,
    listed.name,
    listed.section,
    listed.position,
    listed.account,
    listed.ticket_id,
    listed.order_id,
    listed.marketplace,
    listed.desk,
    listed.ticket_type,
    listed.status,
    listed.reason,
    listed.due_at,
    listed.seconds_left,
    listed.link,
    listed.order_status,
    listed.fulfilled_by,
    listed.ship_by_at,
    listed.total_amount,
    listed.currency,
    listed.items,
    listed.reasons,
    listed.agents,
    listed.has_previous and before.list is null as is_new
from listed
left join before
    on
        listed.list = before.list
        and listed.name = before.name
        and listed.section = before.section
        and listed.account = before.account
        and coalesce(listed.ticket_id, '') = coalesce(before.ticket_id, '')
        and coalesce(listed.order_id, '') = coalesce(before.order_id, '')
        and (
            listed.section <> 'reply_now'
            or coalesce(listed.due_at, '-infinity') = coalesce(before.asked_for, '-infinity')
        )
order by listed.list, listed.name, listed.position
