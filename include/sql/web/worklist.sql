-- In: agent, team, desk (null: any), marketplaces (null: all), section (null: all), skip, at_most (null: all), asked;
-- mart.worklist_item, mart.ticket_status. Out: the items of the newest worklist that was written until then, each once,
-- in their order, without what has been dealt with since; without the first so many, at most so many. Each row has in
-- counts how many items of which section there are, whatever section is asked for.
with newest as (
    select max(as_of) as as_of from mart.worklist_item
    where as_of <= %(asked)s::timestamptz
),

periods as (
    select * from mart.ticket_status
    where from_at <= %(asked)s::timestamptz and until_at > %(asked)s::timestamptz
),

once as (
    select distinct on (items.section, items.account, items.ticket_id, items.order_id)
        items.section,
        items.account,
        items.ticket_id,
        items.order_id,
        items.status,
        items.due_at,
        items.agent,
        items.position
    from mart.worklist_item as items
    where
        items.as_of = (select newest.as_of from newest)
        and (%(agent)s::text is null or items.agent = %(agent)s)
        and (%(team)s::text is null or %(team)s = any(items.teams))
        and (%(desk)s::text is null or items.desk = %(desk)s)
        and (%(marketplaces)s::text[] is null or items.marketplace = any(%(marketplaces)s))
    order by items.section, items.account, items.ticket_id, items.order_id, items.agent
),

left_to_do as materialized (
    select once.*
    from once
    left join lateral (
        select periods.status
        from periods
        where periods.account = once.account and periods.ticket_id = once.ticket_id
        order by periods.from_at desc
        limit 1
    ) as now_is on true
    where now_is.status is null or now_is.status = once.status or now_is.status not in ('pending', 'solved', 'closed')
),

counted as (
    select jsonb_object_agg(sections.section, sections.items) as counts
    from (
        select
            section,
            count(*) as items
        from left_to_do
        group by section
    ) as sections
),

page as materialized (
    select
        agent,
        position,
        mart.section_rank(section) as rank,
        due_at,
        account,
        ticket_id,
        order_id
    from left_to_do
    where %(section)s::text is null or section = %(section)s
    order by rank asc, due_at asc nulls last, account asc, ticket_id asc, order_id asc
    limit %(at_most)s offset %(skip)s
)

select
    item.as_of,
    item.agent,
    item.section,
    item.account,
    item.ticket_id,
    item.order_id,
    item.marketplace,
    item.desk,
    item.ticket_type,
    item.status,
    item.reason,
    item.due_at,
    item.link,
    item.order_status,
    item.fulfilled_by,
    item.ship_by_at,
    item.total_amount,
    item.currency,
    item.items,
    counted.counts
from page
cross join newest
cross join counted
inner join mart.worklist_item as item
    on newest.as_of = item.as_of and page.agent = item.agent and page.position = item.position
order by page.rank asc, page.due_at asc nulls last, page.account asc, page.ticket_id asc, page.order_id asc
