-- In: accounts, asked. Out: tickets of that id, order or case.
select
    account,
    ticket_id
from mart.ticket
where account = any(%(accounts)s::text[]) and ticket_id = %(asked)s
union
select
    account,
    ticket_id
from mart.ticket
where account = any(%(accounts)s::text[]) and order_id = %(asked)s
union
select
    account,
    ticket_id
from mart.ticket
where account = any(%(accounts)s::text[]) and case_id = %(asked)s
limit 200
