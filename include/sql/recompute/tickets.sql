-- In: since, until; mart.ticket_status, ops.ticket_touched. Out: temporary table recomputed: the tickets that were not
-- closed at some time of the span, and those that the next fold would take anyway.
create temporary table recomputed on commit drop as
with alive as (
    select
        account,
        ticket_key
    from mart.ticket_status
    where until_at > %(since)s::timestamptz and from_at < %(until)s::timestamptz and status <> 'closed'
)

select
    account,
    ticket_key
from alive
union
select
    account,
    ticket_key
from ops.ticket_touched
