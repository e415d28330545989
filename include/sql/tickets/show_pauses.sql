-- In: account, ticket_id, as_of. Out: the pauses of the ticket's clocks that had begun then, oldest first; one that
-- was not over then has no end.
select
    metric,
    cycle,
    from_at,
    case when until_at <= %(as_of)s::timestamptz then until_at end as until_at,
    is_rest,
    cause
from mart.sla_pause
where account = %(account)s and ticket_id = %(ticket_id)s and from_at <= %(as_of)s::timestamptz
order by metric, cycle, from_at
