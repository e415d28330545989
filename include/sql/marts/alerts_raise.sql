-- In: as_of, agents (name, email), ship_soon (span); mart.worklist_item, mart.sla_clock. Out: ops.alert, one row
-- a person and reply clock that is at risk or breached as of then, or order that is late or to be shipped soon;
-- returned are those the person has not been told.
insert into ops.alert (
    account,
    subject,
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

shipments as (
    select * from mart.worklist_item
    where
        as_of = %(as_of)s::timestamptz
        and section = 'orders_to_ship'
        and due_at <= %(as_of)s::timestamptz + %(ship_soon)s::interval
),

due as (
    select
        replies.account,
        replies.ticket_id as subject,
        clock.cycle,
        replies.agent,
        replies.seconds_left,
        replies.as_of
    from replies
    inner join warned_clocks as clock
        on replies.account = clock.account and replies.ticket_id = clock.ticket_id
    union all
    select
        account,
        order_id as subject,
        1 as cycle,
        agent,
        seconds_left,
        as_of
    from shipments
),

alerts as (
    select distinct
        due.account,
        due.subject,
        due.cycle,
        case when due.seconds_left < 0 then 'breached' else 'at_risk' end as level,
        agents.email as recipient,
        due.as_of as raised_at
    from due
    inner join agents on due.agent = agents.name
)

select * from alerts
order by recipient, account, subject
on conflict (account, subject, cycle, level, recipient) do nothing
returning account, subject, level, recipient
