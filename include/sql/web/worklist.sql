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

listed as not materialized (
    select * from mart.worklist_item
    where
        as_of = (select newest.as_of from newest)
        and (%(agent)s::text is null or agent = %(agent)s)
        and (%(team)s::text is null or %(team)s = any(teams))
        and (%(desk)s::text is null or desk = %(desk)s)
),

-- An item of several agents is the same in all their lists but for the place; the first agent's row is shown.
once as (
    select * from listed
    where
        %(agent)s::text is not null
        or (%(team)s::text is null and is_first)
    union all
    (
        select distinct on (section, account, ticket_id, order_id) *
        from listed
        where
            %(agent)s::text is null
            and %(team)s::text is not null
        order by section, account, ticket_id, order_id, agent
    )
),

-- What was listed as solved (by itself, or without a reply) stays, unless it came back and waits for the buyer now.
left_to_do as materialized (
    select
        once.agent,
        once.position,
        once.section,
        once.account,
        once.ticket_id,
        once.order_id,
        once.marketplace,
        once.ticket_type,
        once.status,
        once.due_at,
        once.total_amount
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
    from (
        select distinct
            marketplace,
            account,
            ticket_type,
            status
        from left_to_do
    ) as kinds
),

chosen as not materialized (
    select
        *,
        mart.section_rank(section) as section_rank,
        account || '/' || coalesce(ticket_id, order_id, '') as id,
        case %(sort)s::text when '-due' then due_at end as last_due,
        case %(sort)s::text when 'total' then total_amount end as least_total,
        case %(sort)s::text when '-total' then total_amount end as most_total,
        case %(sort)s::text
            when 'type' then ticket_type
            when 'marketplace' then marketplace
            when 'account' then account
        end as first_word,
        case %(sort)s::text
            when '-type' then ticket_type
            when '-marketplace' then marketplace
            when '-account' then account
        end as last_word
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

page as (
    select * from chosen
    where
        %(after_id)s::text is null
        or (section_rank, coalesce(due_at, 'infinity'), id)
        > (mart.section_rank(%(after_section)s), %(after_due)s::timestamptz, %(after_id)s::text)
    order by
        section_rank asc,
        last_due desc nulls last,
        least_total asc nulls last,
        most_total desc nulls last,
        first_word asc nulls last,
        last_word desc nulls last,
        due_at asc nulls last,
        id asc
    limit %(at_most)s offset %(skip)s
),

-- Numbered as they come out of `page`, so that they stay in that order whatever is joined to them.
placed as materialized (
    select
        agent,
        position,
        row_number() over () as place
    from page
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
left join placed on true
left join counted on coalesce(placed.place, 1) = 1
left join choices on coalesce(placed.place, 1) = 1
left join mart.worklist_item as item
    on
        item.as_of = (select newest.as_of from newest)
        and placed.agent = item.agent
        and placed.position = item.position
order by placed.place asc
