-- In: since, as_of; mart.sla_clock. Out: the breaches that fell in the span.
select
    account,
    ticket_id,
    metric,
    started_at
from mart.sla_clock
where breached_at > %(since)s::timestamptz and breached_at < %(as_of)s::timestamptz
