-- In: account, ticket_id, as_of. Out: who has the ticket, the first first.
select
    agent,
    since,
    team,
    rule
from mart.ticket_agent
where account = %(account)s and ticket_id = %(ticket_id)s and since <= %(as_of)s::timestamptz
order by since, agent
