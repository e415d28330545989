-- In: account, buyer_refs of one buyer; privacy_due_order. Out: temporary table privacy_due_ticket: all tickets of the
-- buyer and of these orders.
create temporary table privacy_due_ticket as
with written as (
    select
        account,
        ticket_key
    from core.mail
    where account = %(account)s and buyer_ref = any(%(buyer_refs)s::text[]) and ticket_key is not null
),

tickets as (
    select
        account,
        ticket_key
    from mart.ticket
    where account = %(account)s and buyer_ref = any(%(buyer_refs)s::text[])
    union
    select
        ticket.account,
        ticket.ticket_key
    from mart.ticket as ticket
    inner join privacy_due_order as due on ticket.account = due.account and ticket.order_id = due.order_id
    union
    select
        written.account,
        coalesce(merged.into_key, written.ticket_key) as ticket_key
    from written
    left join mart.ticket_merged as merged
        on written.account = merged.account and written.ticket_key = merged.ticket_key
)

select
    row_number() over (order by ticket_key) as number,
    account,
    ticket_key
from tickets
