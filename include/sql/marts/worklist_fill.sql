-- In: as_of, since, settings (agents, marketplaces, desk exceptions, BQool's page); tickets, their agents, status
-- periods, clocks, events, mail, orders. Out: mart.worklist_item as of that instant; and how many items were written,
-- for how many agents, and how many are of marketplaces that no agent has.
-- A ticket is in one section at most: a running reply clock comes first, then the status, then the type. A
-- new or open ticket whose type has no section of its own is listed under reply_now, so that none is lost. When
-- something is due, or a stakeholder is to be chased, the clocks say: see policies.yaml.
-- Clocks that started before the account went live, and tickets untouched since, are history: nobody's task.
-- What is on a list is found by the indexes of 0025, and everything about it row by row (lateral, limit): an hour costs
-- what is open, not what exists.
with agents as (
    select
        agent.name,
        agent.marketplaces,
        agent.teams
    from jsonb_to_recordset(%(agents)s::jsonb) as agent (name text, marketplaces text[], teams text[])
),

sites as (
    select
        site.country,
        site.host,
        site.desk
    from jsonb_to_recordset(%(marketplaces)s::jsonb) as site (country text, host text, desk text)
),

desk_exceptions as (
    select
        special.account,
        special.country,
        special.desk
    from jsonb_to_recordset(%(desk_exceptions)s::jsonb) as special (account text, country text, desk text)
),

-- The clock by which something of a section is due; that of a reply runs by itself.
metrics (section, metric) as (
    values
    ('claims_returns_cancellations', 'a_to_z_deadline'),
    ('performance_notifications', 'notification_deadline'),
    ('cases_to_chase', 'case_follow_up'),
    ('on_hold_to_chase', 'stakeholder_follow_up'),
    ('mail_to_decide', 'mail_decision')
),

types (ticket_type, section) as (
    values
    ('negative_feedback', 'feedback'),
    ('neutral_feedback', 'feedback'),
    ('a_to_z_claim', 'claims_returns_cancellations'),
    ('chargeback', 'claims_returns_cancellations'),
    ('return_request', 'claims_returns_cancellations'),
    ('cancellation', 'claims_returns_cancellations'),
    ('refund', 'claims_returns_cancellations'),
    ('performance_notification', 'performance_notifications'),
    ('system_message', 'performance_notifications'),
    ('case_update', 'cases_to_chase'),
    ('unknown_mail', 'mail_to_decide')
),

starts as (
    select * from core.account_start
),

asked as (
    select %(as_of)s::timestamptz as as_of
),

running_replies as (
    select * from mart.sla_clock
    where
        metric = 'amazon_reply'
        and started_at <= %(as_of)s::timestamptz
        and coalesce(stopped_at, 'infinity') > %(as_of)s::timestamptz
),

reply_clocks as (
    select clock.* from running_replies as clock
    left join starts on clock.account = starts.account
    where starts.live_since is null or clock.started_at >= starts.live_since
),

-- Of the same metric one clock of a ticket runs at a time.
other_clocks as (
    select
        (clock.whole).account as account,
        (clock.whole).ticket_id as ticket_id,
        metrics.section,
        (clock.whole).started_at as started_at,
        then_known.due_at,
        then_known.due_at < asked.as_of as is_late
    from metrics
    cross join asked
    cross join
        lateral (
            select same as whole
            from mart.sla_clock as same
            where
                same.metric = metrics.metric
                and same.started_at <= asked.as_of
                and coalesce(same.stopped_at, 'infinity') > asked.as_of
            order by same.ticket_id
            offset 0
        ) as clock
    cross join lateral mart.clock_at(clock.whole, asked.as_of) as then_known
),

long_holds as (
    select
        account,
        ticket_id
    from other_clocks
    where section = 'on_hold_to_chase' and is_late
),

-- Of a ticket one period holds the instant: of those that are open or just solved themselves, and of others whose buyer
-- waits nevertheless.
open_periods as (
    select
        account,
        ticket_id,
        status,
        from_at,
        false as is_solved_lately
    from mart.ticket_status
    where
        status in ('new', 'open', 'on_hold')
        and from_at <= %(as_of)s::timestamptz
        and until_at > %(as_of)s::timestamptz
    union all
    select
        account,
        ticket_id,
        status,
        from_at,
        true as is_solved_lately
    from mart.ticket_status
    where
        cause = 'auto_solve'
        and from_at > %(since)s::timestamptz
        and from_at <= %(as_of)s::timestamptz
        and until_at > %(as_of)s::timestamptz
),

periods as (
    select * from open_periods
    union all
    select
        waiting.account,
        waiting.ticket_id,
        period.status,
        period.from_at,
        false as is_solved_lately
    from (
        select
            account,
            ticket_id
        from reply_clocks
        except
        select
            account,
            ticket_id
        from open_periods
    ) as waiting
    cross join
        lateral (
            select
                then_held.status,
                then_held.from_at
            from mart.ticket_status as then_held
            where
                then_held.account = waiting.account
                and then_held.ticket_id = waiting.ticket_id
                and then_held.from_at <= %(as_of)s::timestamptz
                and then_held.until_at > %(as_of)s::timestamptz
            order by then_held.from_at
            limit 1
        ) as period
    where period.status <> 'closed'
),

tickets as (
    select
        ticket.account,
        ticket.ticket_id,
        ticket.ticket_key,
        ticket.order_id,
        case when ticket.case_id ~ '^[0-9A-Za-z-]+$' then ticket.case_id end as page_case_id,
        ticket.marketplace,
        ticket.ticket_type,
        ticket.created_at,
        period.status,
        period.from_at as status_since,
        clock.warn_at,
        clock.due_at as reply_due_at,
        clock.started_at as asked_at,
        coalesce(types.section, 'reply_now') as home,
        case
            when clock.due_at is not null then 'reply_now'
            when period.status = 'solved' then 'solved_automatically'
            when period.status = 'on_hold' then 'on_hold_to_chase'
            else coalesce(types.section, 'reply_now')
        end as section
    from periods as period
    cross join asked
    cross join
        lateral (
            select same.* from mart.ticket as same
            where same.account = period.account and same.ticket_id = period.ticket_id
            order by same.ticket_id
            limit 1
        ) as ticket
    left join reply_clocks as clock
        on period.account = clock.account and period.ticket_id = clock.ticket_id
    left join long_holds on period.account = long_holds.account and period.ticket_id = long_holds.ticket_id
    left join types on ticket.ticket_type = types.ticket_type
    left join starts on period.account = starts.account
    where
        clock.due_at is not null
        or (
            (
                period.status in ('new', 'open')
                or (period.status = 'on_hold' and long_holds.account is not null)
                or period.is_solved_lately
            )
            and (
                starts.live_since is null
                or period.from_at >= starts.live_since
                or exists (
                    select 1 from mart.ticket_event as event
                    where
                        event.account = ticket.account
                        and event.ticket_key = ticket.ticket_key
                        and event.occurred_at between starts.live_since and asked.as_of
                )
            )
        )
),

events as not materialized (
    select * from mart.ticket_event
    where occurred_at <= %(as_of)s::timestamptz
),

-- Amazon counts an order that is cancelled upon a mere message, not one that the buyer cancels through Amazon.
cancellation_wishes as (
    select
        tickets.account,
        tickets.ticket_id
    from tickets
    where
        tickets.section = 'reply_now'
        and (
            select count(*) from events as event
            where
                event.account = tickets.account
                and event.ticket_key = tickets.ticket_key
                and event.kind = 'buyer_message'
                and event.detail ->> 'asks' = 'cancellation'
                and event.occurred_at >= coalesce(tickets.asked_at, tickets.status_since)
        ) > 0
),

-- An agent who is to decide about a mail must find it, and nothing in it may be told here.
mail_places as (
    select distinct on (tickets.account, tickets.ticket_id)
        tickets.account,
        tickets.ticket_id,
        mail.received_at,
        mail.mailbox || '/' || mail.folder as place,
        nullif(
            array_to_string(
                array(
                    select regexp_replace(candidate.ticket_key, '^.*:(order|case):', '')
                    from jsonb_array_elements_text(event.detail -> 'candidates') as candidate (ticket_key)
                    where candidate.ticket_key ~ ':(order|case):'
                ),
                ', '
            ),
            ''
        ) as ids
    from tickets
    cross join
        lateral (
            select
                entry.source_id,
                entry.detail
            from mart.ticket_event as entry
            where entry.account = tickets.account and entry.ticket_key = tickets.ticket_key and entry.source = 'mail'
            order by entry.source_id
            offset 0
        ) as event
    cross join
        lateral (
            select same.* from core.mail as same
            where same.account = tickets.account and same.mail_id = event.source_id
            order by same.mail_id
            limit 1
        ) as mail
    where tickets.section = 'mail_to_decide'
    order by tickets.account, tickets.ticket_id, mail.sent_at, mail.mail_id
),

located as (
    select
        tickets.*,
        coalesce(tickets.reply_due_at, clock.due_at) as due_at,
        case when tickets.section = 'cases_to_chase' then clock.started_at end as moved_at,
        case
            when mail_places.place is not null
                then jsonb_build_object(
                    'text', 'mail of {moment} in {place}',
                    'moment', mail_places.received_at,
                    'place', mail_places.place
                )
        end as mail_to_find,
        case
            when mail_places.ids is not null
                then jsonb_build_object('text', 'may belong to {ids}', 'ids', mail_places.ids)
        end as may_belong_to,
        case
            when tickets.ticket_type = 'cancellation' then 'asks to cancel through Amazon: does not count'
            when cancellation_wishes.account is not null then 'asks to cancel in a message: cancelling counts'
        end as wish
    from tickets
    left join other_clocks as clock
        on
            tickets.account = clock.account
            and tickets.ticket_id = clock.ticket_id
            and tickets.section = clock.section
    left join mail_places
        on tickets.account = mail_places.account and tickets.ticket_id = mail_places.ticket_id
    left join cancellation_wishes
        on
            tickets.account = cancellation_wishes.account
            and tickets.ticket_id = cancellation_wishes.ticket_id
),

ticket_items as (
    select
        account,
        ticket_id,
        order_id,
        page_case_id,
        marketplace,
        ticket_type,
        status,
        section,
        home,
        warn_at,
        coalesce(moved_at, status_since) as since_at,
        moved_at is not null as has_moved,
        array[
            mail_to_find,
            may_belong_to,
            case
                when section = 'reply_now' and status = 'on_hold' then '{"text": "on hold"}'::jsonb
                when section = 'reply_now' and status = 'solved' then '{"text": "solved without a reply"}'::jsonb
            end,
            case when wish is not null then jsonb_build_object('text', wish) end
        ] as marks,
        null::text as order_status,
        due_at
    from located
),

order_items as (
    select
        account,
        null::text as ticket_id,
        order_id,
        null::text as page_case_id,
        marketplace,
        null::text as ticket_type,
        null::text as status,
        'orders_to_ship' as section,
        'orders_to_ship' as home,
        null::timestamptz as warn_at,
        ordered_at as since_at,
        false as has_moved,
        array[
            case
                when ship_by_at is null and is_told_by_api then '{"text": "Amazon names no ship-by time"}'::jsonb
                when ship_by_at is null
                    then '{"text": "ship-by time unknown: only a report has told of this order"}'::jsonb
            end,
            case
                when status = 'PARTIALLY_SHIPPED' and pieces_left between 1 and pieces - 1
                    then jsonb_build_object(
                        'text', '{left} of {pieces} pieces to ship', 'left', pieces_left, 'pieces', pieces
                    )
            end
        ] as marks,
        status as order_status,
        ship_by_at as due_at
    from core.unshipped_order(%(as_of)s::timestamptz)
),

items as (
    select * from ticket_items
    union all
    select * from order_items
),

timed as (
    select
        items.*,
        array_remove(items.marks, null) as remarks,
        floor(extract(epoch from items.due_at - %(as_of)s::timestamptz))::bigint as seconds_left,
        floor(extract(epoch from %(as_of)s::timestamptz - items.since_at))::bigint as seconds_since
    from items
),

-- Which span the reason speaks of, and how.
reasoned as (
    select
        *,
        case
            when section in ('reply_now', 'orders_to_ship', 'mail_to_decide') and due_at is not null
                then abs(seconds_left)
            else seconds_since
        end as span,
        case
            when section = 'reply_now' and due_at is not null and seconds_left < 0 then 'Breached {time} ago'
            when section = 'reply_now' and due_at is not null and warn_at <= %(as_of)s::timestamptz
                then 'At risk: due in {time}'
            when section = 'reply_now' and due_at is not null then 'Due in {time}'
            when section = 'cases_to_chase' and has_moved and seconds_left < 0
                then 'No movement for {time}: chase it'
            when section = 'cases_to_chase' and has_moved then 'Last movement {time} ago'
            when section = 'on_hold_to_chase' then 'On hold for {time}: chase the stakeholder'
            when section = 'orders_to_ship' and due_at is null then 'Ordered {time} ago'
            when section = 'orders_to_ship' and seconds_left < 0 then 'Ship-by time passed {time} ago'
            when section = 'orders_to_ship' then 'Ship within {time}'
            when section = 'mail_to_decide' and due_at is not null and seconds_left < 0
                then 'Decision late by {time}'
            when section = 'mail_to_decide' and due_at is not null then 'Decide within {time}'
            when section = 'solved_automatically' then 'Solved {time} ago: the buyer was silent'
            when status = 'new' then 'New for {time}'
            else 'Open for {time}'
        end as what
    from timed
),

worded as (
    select
        *,
        case
            when cardinality(remarks) = 0 then jsonb_build_array(jsonb_build_object('text', what, 'time', span))
            else to_jsonb(jsonb_build_object('text', what, 'time', span) || remarks)
        end as reasons,
        replace(what, '{time}', mart.span_in_words(span))
        || case
            when cardinality(remarks) = 0 then ''
            else (
                select string_agg(', ' || mart.in_words(part.remark), '' order by part.number)
                from unnest(remarks) with ordinality as part (remark, number)
            )
        end as reason
    from reasoned
),

placed as (
    select
        worded.*,
        sites.country is not null as is_known_site,
        'https://' || sites.host as seller_central,
        case
            when worded.section = 'orders_to_ship' then 'seller_central'
            else coalesce(desk_exceptions.desk, sites.desk)
        end as desk,
        case when worded.order_id ~ '^[0-9A-Za-z-]+$' then worded.order_id end as page_order_id,
        case when worded.section = 'reply_now' then 'reply_now' else worded.home end as page
    from worded
    left join sites on worded.marketplace = sites.country
    left join desk_exceptions
        on worded.account = desk_exceptions.account and worded.marketplace = desk_exceptions.country
),

linked as (
    select
        *,
        case
            when page = 'mail_to_decide' then null
            when page = 'feedback' then seller_central || '/feedback-manager/index.html'
            when page = 'performance_notifications' then seller_central || '/performance/notifications'
            when page = 'cases_to_chase' and page_case_id is not null
                then seller_central || '/cu/case-dashboard/view-case?caseID=' || page_case_id
            when page = 'cases_to_chase' then seller_central || '/cu/case-lobby'
            when page = 'claims_returns_cancellations' and ticket_type = 'a_to_z_claim'
                then seller_central || '/gp/a-z-guarantee.html'
            when page in ('claims_returns_cancellations', 'orders_to_ship') and page_order_id is not null
                then seller_central || '/orders-v3/order/' || page_order_id
            when desk = 'bqool' then %(bqool_page)s::text
            when page_case_id is not null
                then seller_central || '/messaging/inbox?fi=caseId&ss=' || page_case_id || '&cc=' || page_case_id
            else seller_central || '/messaging/inbox'
        end as link
    from placed
),

-- Those of mart.ticket_agent: of a ticket that is not closed, and so has no follow-up yet, all count.
assignments as materialized (
    select
        tickets.account,
        tickets.ticket_id,
        assignment.agent
    from tickets
    cross join lateral (
        select event.detail ->> 'agent' as agent
        from events as event
        where
            event.account = tickets.account
            and event.ticket_key = tickets.ticket_key
            and event.kind = 'assign'
            and event.occurred_at >= tickets.created_at
        order by event.occurred_at
        offset 0
    ) as assignment
),

-- Whoever is not in the settings gets no worklist: a ticket that only such agents have is assigned to nobody.
holders as (
    select
        assignment.account,
        assignment.ticket_id,
        agents.name as agent,
        agents.name = min(agents.name) over (partition by assignment.account, assignment.ticket_id) as is_first
    from assignments as assignment
    inner join agents on assignment.agent = agents.name
    group by assignment.account, assignment.ticket_id, agents.name
),

-- Who has an unassigned item of a marketplace that is not known? Everybody, so that nobody misses it.
sites_agents as (
    select
        place.site,
        agents.name as agent,
        agents.name = min(agents.name) over (partition by place.site) as is_first
    from (
        select distinct
            coalesce(marketplace, '') as site,
            is_known_site
        from linked
    ) as place
    inner join agents
        on not place.is_known_site or cardinality(agents.marketplaces) = 0 or place.site = any(agents.marketplaces)
),

assigned as (
    select
        linked.*,
        coalesce(agents.name, '') as agent,
        coalesce(agents.teams, array[]::text[]) as teams,
        coalesce(holders.is_first, sites_agents.is_first, true) as is_first,
        row_number() over (
            partition by agents.name
            order by
                mart.section_rank(linked.section),
                linked.due_at,
                linked.since_at,
                linked.account,
                linked.ticket_id,
                linked.order_id
        ) as position
    from linked
    left join holders on linked.account = holders.account and linked.ticket_id = holders.ticket_id
    left join sites_agents
        on case when holders.agent is null then coalesce(linked.marketplace, '') end = sites_agents.site
    left join agents on coalesce(holders.agent, sites_agents.agent) = agents.name
),

-- In the order of the index, so that neighbours are read once.
orders as (
    select distinct
        account,
        order_id
    from linked
    where order_id is not null
    order by account, order_id
),

order_facts as (
    select
        orders.account,
        orders.order_id,
        placed.status,
        placed.fulfilled_by,
        placed.ship_by_at,
        placed.total_amount,
        placed.currency,
        goods.items
    from orders
    left join lateral (
        select same.* from core.amazon_order as same
        where same.account = orders.account and same.order_id = orders.order_id
        order by same.order_id
        limit 1
    ) as placed on true
    cross join lateral (
        select
            string_agg(
                concat_ws(
                    ' ', item.quantity || ' ×', coalesce(item.title, item.asin, 'unnamed item'), '(' || item.sku || ')'
                ),
                ', ' order by item.position
            ) filter (where item.position <= 5)
            || case when count(*) > 5 then ' and ' || count(*) - 5 || ' more' else '' end as items
        from core.amazon_order_item as item
        where item.account = orders.account and item.order_id = orders.order_id
    ) as goods
),

worklist as (
    select
        assigned.agent,
        assigned.section,
        assigned.position,
        assigned.account,
        assigned.ticket_id,
        assigned.order_id,
        assigned.marketplace,
        assigned.desk,
        assigned.ticket_type,
        assigned.status,
        assigned.reason,
        assigned.due_at,
        assigned.seconds_left,
        assigned.link,
        coalesce(assigned.order_status, order_facts.status) as order_status,
        order_facts.fulfilled_by,
        case
            when assigned.section = 'orders_to_ship' then assigned.due_at
            else order_facts.ship_by_at
        end as ship_by_at,
        order_facts.total_amount,
        order_facts.currency,
        order_facts.items,
        assigned.reasons,
        assigned.teams,
        assigned.since_at,
        assigned.is_first
    from assigned
    left join order_facts
        on assigned.account = order_facts.account and assigned.order_id = order_facts.order_id
),

written as (
    insert into mart.worklist_item (
        as_of,
        agent,
        section,
        position,
        account,
        ticket_id,
        order_id,
        marketplace,
        desk,
        ticket_type,
        status,
        reason,
        due_at,
        seconds_left,
        link,
        order_status,
        fulfilled_by,
        ship_by_at,
        total_amount,
        currency,
        items,
        reasons,
        teams,
        since_at,
        is_first
    )
    select
        %(as_of)s::timestamptz as as_of,
        worklist.*
    from worklist
),

counts as (
    select
        count(*) filter (where agent <> '') as items,
        count(distinct agent) filter (where agent <> '') as agents,
        count(*) filter (where agent = '') as uncovered
    from worklist
)

select * from counts
