-- In: as_of, agents (name, email); mart.worklist_item, mart.sla_clock. Out: ops.alert, one row a person and
-- reply clock that is at risk or breached as of then; returned are those the person has not been told.
insert into ops.alert (
    account,
    ticket_id,
    cycle,
    level,
    recipient,
    raised_at
)
with agents as (
    select
        agent.name,
        agent.email
    from jsonb_to_recordset(%(agents)s::jsonb) as agent (name text, email text)
),

replies as (
    select * from mart.worklist_item
    where as_of = %(as_of)s::timestamptz and section = 'reply_now' and due_at is not null
),

warned_clocks as (
    select * from mart.sla_clock
    where
        metric = 'amazon_reply'
        and warn_at <= %(as_of)s::timestamptz
        and started_at <= %(as_of)s::timestamptz
        and (stopped_at is null or stopped_at > %(as_of)s::timestamptz)
),

alerts as (
    select distinct
        replies.account,
        replies.ticket_id,
        clock.cycle,
        case when replies.seconds_left < 0 then 'breached' else 'at_risk' end as level,
        agents.email as recipient,
        replies.as_of as raised_at
    from replies
    inner join agents on replies.agent = agents.name
    inner join warned_clocks as clock
        on replies.account = clock.account and replies.ticket_id = clock.ticket_id
)

select * from alerts
order by recipient, account, ticket_id
on conflict (account, ticket_id, cycle, level, recipient) do nothing
returning account, ticket_id, level, recipient
