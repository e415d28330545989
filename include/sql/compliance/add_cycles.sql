-- In: batch_cycle. Out: mart.compliance_cycle has them.
insert into mart.compliance_cycle (
    account,
    ticket_id,
    ticket_key,
    metric,
    cycle,
    marketplace,
    desk,
    team,
    ticket_type,
    agent,
    started_at,
    waiting_until,
    rests,
    breached_at,
    ended_at,
    is_met,
    is_reopened,
    elapsed_seconds,
    response_seconds
)
select
    account,
    ticket_id,
    ticket_key,
    metric,
    cycle,
    marketplace,
    desk,
    team,
    ticket_type,
    agent,
    started_at,
    waiting_until,
    rests,
    breached_at,
    ended_at,
    is_met,
    is_reopened,
    elapsed_seconds,
    response_seconds
from batch_cycle
order by account, ticket_id, metric, cycle
