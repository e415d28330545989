-- In: accounts; what may be an order or a case, or the key of a ticket. Out: ids of its tickets, newest first.
with near as (
    select
        ticket_id,
        last_event_at
    from mart.ticket
    where account = any(%(accounts)s::text[]) and order_id = %(part)s
    union
    select
        ticket_id,
        last_event_at
    from mart.ticket
    where account = any(%(accounts)s::text[]) and case_id = %(part)s
    union
    select
        ticket_id,
        last_event_at
    from mart.ticket
    where account = any(%(accounts)s::text[]) and ticket_key = %(key)s
)

select ticket_id from near
order by last_event_at desc
limit 5
