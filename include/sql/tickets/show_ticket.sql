-- In: ticket_id, account (null: any), as_of. Out: the tickets of that id that existed then, with their status.
with named as (
    select * from mart.ticket
    where
        ticket_id = %(ticket_id)s
        and (%(account)s::text is null or account = %(account)s)
        and created_at <= %(as_of)s::timestamptz
),

periods as (
    select * from mart.ticket_status
    where from_at <= %(as_of)s::timestamptz and until_at > %(as_of)s::timestamptz
)

select
    named.account,
    named.ticket_id,
    named.ticket_key,
    named.follow_up_of,
    named.marketplace,
    named.ticket_type,
    named.order_id,
    named.order_match,
    named.case_id,
    named.buyer_ref,
    named.created_at,
    periods.status,
    periods.from_at as status_since,
    nullif(periods.until_at, 'infinity') as status_until
from named
inner join periods on named.account = periods.account and named.ticket_id = periods.ticket_id
order by named.account
