-- In: batch_subject, mart.ticket_status. Out: temporary table batch_period, the status periods of this fold's
-- tickets, each with the cause of the next.
create temporary table batch_period on commit drop as
select
    batch_subject.ticket_no,
    batch_subject.generation,
    period.status,
    period.from_at,
    period.until_at,
    period.cause,
    lead(period.cause) over (
        partition by batch_subject.ticket_no, batch_subject.generation order by period.from_at
    ) as next_cause
from batch_subject
inner join mart.ticket_status as period
    on batch_subject.account = period.account and batch_subject.ticket_id = period.ticket_id
