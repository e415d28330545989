-- In: agent, team, desk (null: any), marketplaces (null: all), asked; mart.worklist_item, mart.ticket_status. Out: the
-- items of the newest worklist that was written until then, each once, in their order, without what has been dealt with
-- since.
with newest as (
    select max(as_of) as as_of from mart.worklist_item
    where as_of <= %(asked)s::timestamptz
),

items as (
    select * from mart.worklist_item
    where
        (%(agent)s::text is null or agent = %(agent)s)
        and (%(team)s::text is null or %(team)s = any(teams))
        and (%(desk)s::text is null or desk = %(desk)s)
        and (%(marketplaces)s::text[] is null or marketplace = any(%(marketplaces)s))
),

periods as (
    select * from mart.ticket_status
    where from_at <= %(asked)s::timestamptz and until_at > %(asked)s::timestamptz
),

once as (
    select distinct on (items.account, items.ticket_id, items.order_id, items.section) items.*
    from newest
    inner join items on newest.as_of = items.as_of
    order by items.account, items.ticket_id, items.order_id, items.section, items.agent
)

select
    once.as_of,
    once.agent,
    once.section,
    once.account,
    once.ticket_id,
    once.order_id,
    once.marketplace,
    once.desk,
    once.ticket_type,
    once.status,
    once.reason,
    once.due_at,
    once.link,
    once.order_status,
    once.fulfilled_by,
    once.ship_by_at,
    once.total_amount,
    once.currency,
    once.items
from once
left join periods on once.account = periods.account and once.ticket_id = periods.ticket_id
where periods.status is null or periods.status = once.status or periods.status not in ('pending', 'solved', 'closed')
order by once.section asc, once.due_at asc nulls last, once.account asc, once.ticket_id asc, once.order_id asc
