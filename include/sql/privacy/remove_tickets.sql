-- In: privacy_due_ticket, those after one number until another; run_id, removed_at. Out: notes and desks' actions of
-- these tickets are gone, messages to staff that quote their buyers are empty (those that wait are cancelled);
-- ops.removal has each ticket.
with run as (
    select
        %(run_id)s::bigint as run_id,
        %(removed_at)s::timestamptz as removed_at
),

due as (
    select
        account,
        ticket_key
    from privacy_due_ticket
    where number > %(after)s and number <= %(until)s
),

keys as (
    select
        account,
        ticket_key,
        ticket_key as own_key
    from due
    union all
    select
        due.account,
        due.ticket_key,
        merged.ticket_key as own_key
    from due
    inner join mart.ticket_merged as merged on due.account = merged.account and due.ticket_key = merged.into_key
),

notes as (
    delete from pii.ticket_event_text as words
    using core.ticket_event as event
    inner join keys on event.account = keys.account and event.ticket_key = keys.own_key
    where words.account = event.account and words.source = event.source and words.source_id = event.source_id
    returning keys.account, keys.ticket_key
),

actions as (
    delete from pii.desk_action as received
    using raw.desk_action as action
    inner join keys on action.account = keys.account and action.ticket_key = keys.own_key
    where
        received.account = action.account
        and received.batch_id = action.batch_id
        and received.line_number = action.line_number
    returning keys.account, keys.ticket_key
),

removed as (
    select * from notes
    union all
    select * from actions
),

messages as (
    update pii.outbox as message
    set
        html = '',
        plain = '',
        attachments = '[]',
        emptied_at = run.removed_at,
        cancelled_at = case when message.state = 'waiting' then run.removed_at else message.cancelled_at end
    from run
    where
        message.emptied_at is null
        and message.about && (
            select array_agg(ticket.account || '/' || ticket.ticket_id)
            from due
            inner join mart.ticket as ticket on due.account = ticket.account and due.ticket_key = ticket.ticket_key
        )
    returning message.outbox_id
),

noted as (
    select
        due.account,
        'ticket' as kind,
        due.ticket_key as key,
        count(removed.ticket_key) as entries
    from due
    left join removed on due.account = removed.account and due.ticket_key = removed.ticket_key
    group by due.account, due.ticket_key
    union all
    select
        '' as account,
        'message' as kind,
        '' as key,
        count(*) as entries
    from messages
    having count(*) > 0
)

insert into ops.removal as known (run_id, account, kind, key, entries, removed_at)
select
    run.run_id,
    noted.account,
    noted.kind,
    noted.key,
    noted.entries,
    run.removed_at
from noted
cross join run
on conflict (account, kind, key, run_id) do update
    set entries = known.entries + excluded.entries
