-- In: account, ticket_id. Out: who sees to which cycle of the ticket's clocks (topic: reply or deadline).
select
    topic,
    cycle,
    acknowledged_by,
    acknowledged_at
from core.alert_acknowledgement
where account = %(account)s and ticket_id = %(ticket_id)s
order by acknowledged_at, acknowledged_by
