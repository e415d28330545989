-- In: as_of; mart.ticket, mart.ticket_status. Out: every ticket that existed then, one row each, with its
-- status, since when and why, and until when it lasts if nothing happens (null: for ever).
with tickets as (
    select * from mart.ticket
    where created_at <= %(as_of)s::timestamptz
),

periods as (
    select * from mart.ticket_status
    where from_at <= %(as_of)s::timestamptz and until_at > %(as_of)s::timestamptz
),

statuses as (
    select
        tickets.account,
        tickets.ticket_id,
        tickets.ticket_key,
        tickets.follow_up_of,
        tickets.marketplace,
        tickets.ticket_type,
        tickets.order_id,
        tickets.case_id,
        tickets.buyer_ref,
        tickets.created_at,
        periods.status,
        periods.from_at as status_since,
        nullif(periods.until_at, 'infinity') as status_until,
        periods.cause
    from tickets
    inner join periods on tickets.account = periods.account and tickets.ticket_id = periods.ticket_id
)

select * from statuses
order by account, ticket_id
