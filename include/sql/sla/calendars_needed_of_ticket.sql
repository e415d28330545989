-- In: account, ticket_id, as_of; mart.sla_clock. Out: each calendar with hours in which a clock of the ticket that had
-- started counts: between which instants, and how many seconds after the last.
select
    calendar_id,
    min(started_at) as first_at,
    %(as_of)s::timestamptz as last_at,
    max(target_seconds) as target_seconds
from mart.sla_clock
where
    account = %(account)s
    and ticket_id = %(ticket_id)s
    and calendar_id <> 0
    and started_at <= %(as_of)s::timestamptz
group by calendar_id
