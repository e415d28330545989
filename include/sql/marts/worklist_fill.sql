-- In: as_of, since, settings (agents, marketplaces, desk exceptions, BQool's page); tickets, their agents, status
-- periods, clocks, events, mail, orders. Out: mart.worklist_item as of that instant; and how many items were written,
-- for how many agents, and how many are of marketplaces that no agent has.
-- A ticket is in one section at most: a running reply clock comes first, then the status, then the type. A
-- new or open ticket whose type has no section of its own is listed under reply_now, so that none is lost. When
-- something is due, or a stakeholder is to be chased, the clocks say: see policies.yaml.
-- Clocks that started before the account went live, and tickets untouched since, are history: nobody's task.
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

reply_clocks as (
    select * from mart.sla_clock
    where
        metric = 'amazon_reply'
        and started_at <= %(as_of)s::timestamptz
        and (stopped_at is null or stopped_at > %(as_of)s::timestamptz)
),

live_clocks as (
    select reply_clocks.* from reply_clocks
    left join starts on reply_clocks.account = starts.account
    where starts.live_since is null or reply_clocks.started_at >= starts.live_since
),

asked as (
    select %(as_of)s::timestamptz as as_of
),

-- Of the same metric one clock of a ticket runs at a time.
other_clocks as (
    select
        clock.account,
        clock.ticket_id,
        metrics.section,
        clock.started_at,
        then_known.due_at,
        then_known.due_at < asked.as_of as is_late
    from mart.sla_clock as clock
    inner join metrics on clock.metric = metrics.metric
    inner join asked on clock.started_at <= asked.as_of and (clock.stopped_at is null or clock.stopped_at > asked.as_of)
    cross join lateral mart.clock_at(clock, asked.as_of) as then_known
),

long_holds as (
    select
        account,
        ticket_id
    from other_clocks
    where section = 'on_hold_to_chase' and is_late
),

periods as (
    select
        *,
        %(as_of)s::timestamptz as as_of,
        cause = 'auto_solve' and from_at > %(since)s::timestamptz as is_solved_lately
    from mart.ticket_status
    where
        from_at <= %(as_of)s::timestamptz
        and until_at > %(as_of)s::timestamptz
        and status in ('new', 'open', 'pending', 'on_hold', 'solved')
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
    inner join mart.ticket as ticket
        on period.account = ticket.account and period.ticket_id = ticket.ticket_id
    left join live_clocks as clock
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
                        and event.occurred_at between starts.live_since and period.as_of
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
    select distinct
        tickets.account,
        tickets.ticket_id
    from tickets
    inner join events on tickets.account = events.account and tickets.ticket_key = events.ticket_key
    where
        tickets.section = 'reply_now'
        and events.kind = 'buyer_message'
        and events.detail ->> 'asks' = 'cancellation'
        and events.occurred_at >= coalesce(tickets.asked_at, tickets.status_since)
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
    inner join mart.ticket_event as event
        on tickets.account = event.account and tickets.ticket_key = event.ticket_key
    inner join core.mail as mail
        on event.account = mail.account and event.source = 'mail' and event.source_id = mail.mail_id
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
        ] as remarks,
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
        ] as remarks,
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
        *,
        floor(extract(epoch from due_at - %(as_of)s::timestamptz))::bigint as seconds_left,
        floor(extract(epoch from %(as_of)s::timestamptz - since_at))::bigint as seconds_since
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
        to_jsonb(
            array_remove(jsonb_build_object('text', what, 'time', span) || remarks, null)
        ) as reasons
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

given as (
    select * from mart.ticket_agent
    where since <= %(as_of)s::timestamptz
),

-- Whoever is not in the settings gets no worklist: a ticket that only such agents have is assigned to nobody.
holders as (
    select
        linked.account,
        linked.ticket_id,
        array_agg(given.agent) as agents
    from linked
    inner join given on linked.account = given.account and linked.ticket_id = given.ticket_id
    inner join agents on given.agent = agents.name
    group by linked.account, linked.ticket_id
),

-- Who has an unassigned item of a marketplace that is not known? Everybody, so that nobody misses it.
assigned as (
    select
        linked.*,
        coalesce(agents.name, '') as agent,
        coalesce(agents.teams, array[]::text[]) as teams,
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
    left join agents
        on
            agents.name = any(holders.agents)
            or (
                holders.account is null
                and (
                    not linked.is_known_site
                    or cardinality(agents.marketplaces) = 0
                    or linked.marketplace = any(agents.marketplaces)
                )
            )
),

ordered_goods as (
    select
        account,
        order_id,
        concat_ws(' ', quantity || ' ×', coalesce(title, asin, 'unnamed item'), '(' || sku || ')') as goods,
        row_number() over (partition by account, order_id order by position) as place
    from core.amazon_order_item
    where
        (account, order_id) in (
            select
                linked.account,
                linked.order_id
            from linked
        )
),

goods_by_order as (
    select
        account,
        order_id,
        string_agg(goods, ', ' order by place) filter (where place <= 5)
        || case when count(*) > 5 then ' and ' || count(*) - 5 || ' more' else '' end as items
    from ordered_goods
    group by account, order_id
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
        array_to_string(
            array(
                select mart.in_words(part.reason)
                from jsonb_array_elements(assigned.reasons) with ordinality as part (reason, number)
                order by part.number
            ),
            ', '
        ) as reason,
        assigned.due_at,
        assigned.seconds_left,
        assigned.link,
        coalesce(assigned.order_status, placed_order.status) as order_status,
        placed_order.fulfilled_by,
        case
            when assigned.section = 'orders_to_ship' then assigned.due_at
            else placed_order.ship_by_at
        end as ship_by_at,
        placed_order.total_amount,
        placed_order.currency,
        goods_by_order.items,
        assigned.reasons,
        assigned.teams,
        assigned.since_at
    from assigned
    left join core.amazon_order as placed_order
        on assigned.account = placed_order.account and assigned.order_id = placed_order.order_id
    left join goods_by_order
        on assigned.account = goods_by_order.account and assigned.order_id = goods_by_order.order_id
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
        since_at
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
