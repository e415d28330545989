-- In: account, ticket_key. Out: the id of its newest ticket, or of the ticket that it was merged into.
with merged as (
    select into_key from mart.ticket_merged
    where account = %(account)s and ticket_key = %(ticket_key)s
)

select ticket_id
from mart.ticket
where
    account = %(account)s
    and ticket_key = coalesce((select merged.into_key from merged), %(ticket_key)s)
order by generation desc
limit 1
