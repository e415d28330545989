-- In: agent, team, desk (null: any), marketplace, account, ticket_type, status, section (null: any), sort (due, type,
-- marketplace, account, total; with a minus the other way round), skip, after_section, after_due and after_id (null:
-- from the first; sorted by due, the last item of the page before), at_most (null: all), asked; mart.worklist_item,
-- mart.period_not_done. Out: of the newest worklist that was written until then the items that are chosen, each once,
-- by section, without what has been dealt with since; without the first so many, at most so many. The first row has in
-- counts how many there are of which section, in late how many are late, in choices what can be chosen. If there is
-- none, one row without an item says so.
with newest as (
    select max(as_of) as as_of from mart.worklist_item
    where as_of <= %(asked)s::timestamptz
),

not_done as (
    select
        account,
        ticket_id,
        status
    from mart.period_not_done
    where
        from_at <= %(asked)s::timestamptz
        and until_at > %(asked)s::timestamptz
        and lasts_until > %(asked)s::timestamptz
),

-- An item of several agents is the same in all their lists but for the place; the first agent's row is shown.
once as (
    select
        section,
        account,
        ticket_id,
        order_id,
        marketplace,
        ticket_type,
        status,
        due_at,
        total_amount,
        min(array[agent, position::text]) as shown
    from mart.worklist_item
    where
        as_of = (select newest.as_of from newest)
        and (%(agent)s::text is null or agent = %(agent)s)
        and (%(team)s::text is null or %(team)s = any(teams))
        and (%(desk)s::text is null or desk = %(desk)s)
    group by section, account, ticket_id, order_id, marketplace, ticket_type, status, due_at, total_amount
),

-- What was listed as solved (by itself, or without a reply) stays, unless it came back and waits for the buyer now.
left_to_do as materialized (
    select once.*
    from once
    left join not_done on once.account = not_done.account and once.ticket_id = not_done.ticket_id
    where
        once.status is null
        or not_done.status = once.status
        or not_done.status <> 'pending'
        or (not_done.status is null and once.status = 'solved')
),

choices as (
    select
        jsonb_build_object(
            'marketplace', array_agg(distinct marketplace) filter (where marketplace is not null),
            'account', array_agg(distinct account),
            'ticket_type', array_agg(distinct ticket_type) filter (where ticket_type is not null),
            'status', array_agg(distinct status) filter (where status is not null)
        ) as choices
    from (select distinct marketplace, account, ticket_type, status from left_to_do) as kinds
),

chosen as materialized (
    select
        *,
        mart.section_rank(section) as section_rank,
        account || '/' || coalesce(ticket_id, order_id, '') as id
    from left_to_do
    where
        (%(marketplace)s::text is null or marketplace = %(marketplace)s)
        and (%(account)s::text is null or account = %(account)s)
        and (%(ticket_type)s::text is null or ticket_type = %(ticket_type)s)
        and (%(status)s::text is null or status = %(status)s)
        and (%(section)s::text is null or section = %(section)s)
),

counted as (
    select
        coalesce(jsonb_object_agg(sections.section, sections.items), '{}') as counts,
        coalesce(sum(sections.late), 0)::integer as late
    from (
        select
            section,
            count(*) as items,
            count(*) filter (where due_at < %(asked)s::timestamptz) as late
        from chosen
        group by section
    ) as sections
),

page as materialized (
    select
        shown[1] as agent,
        shown[2]::integer as position,
        row_number() over (
            order by
                section_rank asc,
                case %(sort)s::text when 'due' then due_at end asc nulls last,
                case %(sort)s::text when '-due' then due_at end desc nulls last,
                case %(sort)s::text
                    when 'type' then ticket_type
                    when 'marketplace' then marketplace
                    when 'account' then account
                end asc nulls last,
                case %(sort)s::text
                    when '-type' then ticket_type
                    when '-marketplace' then marketplace
                    when '-account' then account
                end desc nulls last,
                case %(sort)s::text when 'total' then total_amount end asc nulls last,
                case %(sort)s::text when '-total' then total_amount end desc nulls last,
                due_at asc nulls last,
                id asc
        ) as place
    from chosen
    where
        %(after_id)s::text is null
        or (section_rank, coalesce(due_at, 'infinity'), id)
        > (mart.section_rank(%(after_section)s), %(after_due)s::timestamptz, %(after_id)s::text)
    order by place asc
    limit %(at_most)s offset %(skip)s
)

select
    hour.as_of,
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
    counted.counts,
    counted.late,
    choices.choices
from newest as hour
left join page on true
left join counted on page.place is not distinct from (select min(page.place) from page)
left join choices on counted.late is not null
left join mart.worklist_item as item
    on
        item.as_of = (select newest.as_of from newest)
        and page.agent = item.agent
        and page.position = item.position
order by page.place asc
