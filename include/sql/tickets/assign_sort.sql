-- In: as_of; tickets, status periods, events, mail, orders; filters (of views and rules), rules, the marketplaces'
-- desks, languages and teams. Out: core.ticket_sorting, core.ticket_route and ops.ticket_waiting for each ticket that
-- is new: that was `new` within the last day and is neither solved nor closed, is not history, and was not sorted
-- before. Returns the rules that are for these tickets, with the agents they name.
with filters as (
    select filter.*
    from jsonb_to_recordset(%(filters)s::jsonb) as filter (
        filter text,
        view text,
        accounts text[],
        marketplaces text[],
        desks text[],
        ticket_types text[],
        languages text[],
        order_statuses text[],
        order_fulfilled_by text[],
        order_ship_countries text[],
        order_currencies text[],
        order_total_at_least numeric,
        order_skus text[],
        order_is_prime boolean,
        order_is_business boolean
    )
),

rules as (
    select rule.*
    from jsonb_to_recordset(%(rules)s::jsonb) as rule (name text, filter text, team text, agents text[])
),

sites as (
    select site.*
    from jsonb_to_recordset(%(sites)s::jsonb) as site (country text, desk text, language text)
),

special_sites as (
    select special.*
    from jsonb_to_recordset(%(special_sites)s::jsonb) as special (account text, country text, desk text, team text)
),

starts as (
    select * from core.account_start
),

lately_new as (
    select distinct
        account,
        ticket_id
    from mart.ticket_status
    where
        status = 'new'
        and from_at <= %(as_of)s::timestamptz
        and until_at > %(as_of)s::timestamptz - interval '24 hours'
),

periods as (
    select
        *,
        %(as_of)s::timestamptz as as_of
    from mart.ticket_status
    where
        from_at <= %(as_of)s::timestamptz
        and until_at > %(as_of)s::timestamptz
        and status in ('new', 'open', 'pending', 'on_hold')
),

new_tickets as (
    select
        ticket.*,
        periods.as_of
    from lately_new
    inner join periods on lately_new.account = periods.account and lately_new.ticket_id = periods.ticket_id
    inner join mart.ticket as ticket
        on periods.account = ticket.account and periods.ticket_id = ticket.ticket_id
    left join starts on ticket.account = starts.account
    left join core.ticket_sorting as known
        on ticket.account = known.account and ticket.ticket_id = known.ticket_id
    where known.account is null and (starts.live_since is null or ticket.last_event_at >= starts.live_since)
),

described as (
    select
        new_tickets.account,
        new_tickets.ticket_id,
        new_tickets.ticket_key,
        new_tickets.as_of as sorted_at,
        new_tickets.marketplace,
        coalesce(special_sites.desk, sites.desk) as desk,
        new_tickets.ticket_type,
        coalesce(written.language, sites.language) as language,
        new_tickets.order_id,
        placed.status as order_status,
        placed.fulfilled_by,
        placed.ship_country,
        placed.currency,
        placed.total_amount,
        placed.is_prime,
        placed.is_business,
        array(
            select distinct item.sku from core.amazon_order_item as item
            where item.account = placed.account and item.order_id = placed.order_id and item.sku is not null
            order by item.sku
        ) as skus,
        special_sites.team as home_team
    from new_tickets
    left join sites on new_tickets.marketplace = sites.country
    left join special_sites
        on new_tickets.account = special_sites.account and new_tickets.marketplace = special_sites.country
    left join core.amazon_order as placed
        on new_tickets.account = placed.account and new_tickets.order_id = placed.order_id
    left join lateral (
        select mail.language
        from mart.ticket_event as event
        inner join core.mail as mail on event.account = mail.account and event.source_id = mail.mail_id
        where
            event.account = new_tickets.account
            and event.ticket_key = new_tickets.ticket_key
            and event.source = 'mail'
            and event.kind = 'buyer_message'
            and event.occurred_at between new_tickets.created_at and new_tickets.as_of
            and mail.language is not null
        order by event.occurred_at, event.source_id
        limit 1
    ) as written on true
),

fitted as (
    select
        described.*,
        fit.filters,
        fit.views
    from described
    cross join lateral (
        select
            array_agg(filters.filter) as filters,
            array_agg(filters.view order by filters.view) filter (where filters.view is not null) as views
        from filters
        where
            (filters.accounts is null or described.account = any(filters.accounts))
            and (filters.marketplaces is null or described.marketplace = any(filters.marketplaces))
            and (filters.desks is null or described.desk = any(filters.desks))
            and (filters.ticket_types is null or described.ticket_type = any(filters.ticket_types))
            and (filters.languages is null or described.language = any(filters.languages))
            and (filters.order_statuses is null or described.order_status = any(filters.order_statuses))
            and (filters.order_fulfilled_by is null or described.fulfilled_by = any(filters.order_fulfilled_by))
            and (filters.order_ship_countries is null or described.ship_country = any(filters.order_ship_countries))
            and (filters.order_currencies is null or described.currency = any(filters.order_currencies))
            and (filters.order_total_at_least is null or described.total_amount >= filters.order_total_at_least)
            and (filters.order_skus is null or described.skus && filters.order_skus)
            and (filters.order_is_prime is null or described.is_prime = filters.order_is_prime)
            and (filters.order_is_business is null or described.is_business = filters.order_is_business)
    ) as fit
),

routes as (
    select
        fitted.account,
        fitted.ticket_id,
        fitted.ticket_key,
        fitted.marketplace,
        fitted.sorted_at as routed_at,
        rules.name as rule,
        rules.team,
        coalesce(rules.agents, '{}') as agents
    from fitted
    inner join rules on rules.filter = any(fitted.filters)
    union all
    select
        fitted.account,
        fitted.ticket_id,
        fitted.ticket_key,
        fitted.marketplace,
        fitted.sorted_at as routed_at,
        'marketplace' as rule,
        fitted.home_team as team,
        '{}' as agents
    from fitted
    where
        fitted.home_team is not null
        and not exists (
            select 1 from rules
            where rules.team is not null and rules.filter = any(fitted.filters)
        )
),

sorted as (
    insert into core.ticket_sorting (
        account,
        ticket_id,
        ticket_key,
        sorted_at,
        views,
        marketplace,
        desk,
        ticket_type,
        language,
        order_id,
        order_status,
        fulfilled_by,
        ship_country,
        currency,
        total_amount,
        is_prime,
        is_business,
        skus
    )
    select
        account,
        ticket_id,
        ticket_key,
        sorted_at,
        coalesce(views, '{}') as views,
        marketplace,
        desk,
        ticket_type,
        language,
        order_id,
        order_status,
        fulfilled_by,
        ship_country,
        currency,
        total_amount,
        is_prime,
        is_business,
        skus
    from fitted
),

routed as (
    insert into core.ticket_route (account, ticket_id, rule, team, agents, routed_at)
    select
        account,
        ticket_id,
        rule,
        team,
        agents,
        routed_at
    from routes
),

waiting as (
    insert into ops.ticket_waiting (account, ticket_id, team, rule, since)
    select
        account,
        ticket_id,
        team,
        min(rule) as rule,
        min(routed_at) as since
    from routes
    where team is not null
    group by account, ticket_id, team
)

select
    account,
    ticket_id,
    ticket_key,
    marketplace,
    rule,
    agents
from routes
order by account, ticket_id, rule
