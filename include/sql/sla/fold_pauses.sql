-- In: batch_pause, batch_subject. Out: mart.sla_pause.
insert into mart.sla_pause (
    account,
    ticket_id,
    ticket_key,
    metric,
    cycle,
    from_at,
    until_at,
    is_rest,
    cause,
    elapsed_seconds,
    paused_before_seconds,
    due_at
)
select
    batch_subject.account,
    batch_subject.ticket_id,
    batch_subject.ticket_key,
    batch_pause.metric,
    batch_pause.cycle,
    batch_pause.from_at,
    batch_pause.until_at,
    batch_pause.is_rest,
    batch_pause.cause,
    batch_pause.elapsed_seconds,
    batch_pause.paused_before_seconds,
    batch_pause.due_at
from batch_pause
inner join batch_subject
    on batch_pause.ticket_no = batch_subject.ticket_no and batch_pause.generation = batch_subject.generation
order by batch_subject.account, batch_subject.ticket_id, batch_pause.metric, batch_pause.cycle, batch_pause.from_at
