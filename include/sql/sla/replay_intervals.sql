-- In: as_of; mart.ticket_status. Out: the status periods that had begun then, the last one without end.
select
    account,
    ticket_id,
    status,
    from_at,
    case when until_at <= %(as_of)s::timestamptz then until_at end as until_at,
    cause
from mart.ticket_status
where from_at <= %(as_of)s::timestamptz
order by account, ticket_id, from_at
