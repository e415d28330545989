-- In: batch_ticket, mart.ticket, filters (which tickets each version of a policy is for), the desks of sites.
-- Out: temporary table batch_subject, the tickets of this fold with the versions that are meant for them.
create temporary table batch_subject on commit drop as
with filters as (
    select filter.*
    from jsonb_to_recordset(%(filters)s::jsonb) as filter (
        version_no integer, accounts text[], marketplaces text[], desks text[], ticket_types text[]
    )
),

sites as (
    select site.*
    from jsonb_to_recordset(%(sites)s::jsonb) as site (country text, desk text)
),

desk_exceptions as (
    select special.*
    from jsonb_to_recordset(%(desk_exceptions)s::jsonb) as special (account text, country text, desk text)
),

tickets as (
    select
        batch_ticket.ticket_no,
        ticket.generation,
        ticket.account,
        ticket.ticket_id,
        ticket.ticket_key,
        ticket.marketplace,
        ticket.ticket_type,
        ticket.created_at
    from batch_ticket
    inner join mart.ticket as ticket
        on batch_ticket.account = ticket.account and batch_ticket.ticket_key = ticket.ticket_key
),

kinds as (
    select distinct
        account,
        marketplace,
        ticket_type
    from tickets
),

sold as (
    select
        kinds.*,
        coalesce(desk_exceptions.desk, sites.desk) as desk
    from kinds
    left join sites on kinds.marketplace = sites.country
    left join desk_exceptions
        on kinds.account = desk_exceptions.account and kinds.marketplace = desk_exceptions.country
),

meant as (
    select
        sold.account,
        sold.marketplace,
        sold.ticket_type,
        array_agg(filters.version_no order by filters.version_no) as versions
    from sold
    inner join filters
        on
            (filters.accounts is null or sold.account = any(filters.accounts))
            and (filters.marketplaces is null or sold.marketplace = any(filters.marketplaces))
            and (filters.desks is null or sold.desk = any(filters.desks))
            and (filters.ticket_types is null or sold.ticket_type = any(filters.ticket_types))
    group by sold.account, sold.marketplace, sold.ticket_type
),

subjects as (
    select
        tickets.ticket_no,
        tickets.generation,
        tickets.account,
        tickets.ticket_id,
        tickets.ticket_key,
        tickets.ticket_type,
        tickets.created_at,
        meant.versions
    from tickets
    inner join meant
        on
            tickets.account = meant.account
            and coalesce(tickets.marketplace, '') = coalesce(meant.marketplace, '')
            and tickets.ticket_type = meant.ticket_type
)

select * from subjects
