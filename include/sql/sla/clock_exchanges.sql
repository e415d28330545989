-- In: batch_ticket, batch_event, batch_transition, core.account_start. Out: temporary table batch_exchange: from the
-- oldest buyer message not yet answered to our first reply after it that was delivered, or to "no response needed".
-- Nothing else ends one, and a reply does even when the ticket is closed already. A question from before the account
-- went live is history: who asks again then begins another.
create temporary table batch_exchange on commit drop as
with events as (
    select
        batch_event.*,
        transition.generation,
        max(batch_event.position) filter (where batch_event.kind = 'reply') over (
            partition by transition.ticket_no, transition.generation order by batch_event.position
        ) as last_reply
    from batch_event
    inner join batch_transition as transition
        on batch_event.ticket_no = transition.ticket_no and batch_event.position = transition.position
    where not transition.is_void or batch_event.kind = 'reply'
),

-- A failure that names no reply means the last one before it.
undone as (
    select distinct
        reply.ticket_no,
        reply.position
    from events as failure
    inner join events as reply
        on failure.ticket_no = reply.ticket_no and failure.generation = reply.generation
    where
        failure.kind = 'delivery_failure'
        and reply.kind = 'reply'
        and (
            reply.source_id = failure.failed_reply
            or (failure.failed_reply is null and reply.position = failure.last_reply)
        )
),

-- A notice moves the status as a message does, but asks nothing. An automatic message or reply has no move.
-- Messages from the system cannot be replied to.
questions as (
    select
        ticket_no,
        generation,
        position,
        occurred_at,
        kind,
        true as is_question
    from events
    where
        kind = 'buyer_message'
        and move is not null
        and ticket_type not in ('system_message', 'system_qa')
),

answers as (
    select
        events.ticket_no,
        events.generation,
        events.position,
        events.occurred_at,
        events.kind,
        false as is_question
    from events
    left join undone on events.ticket_no = undone.ticket_no and events.position = undone.position
    where
        events.kind = 'no_response_needed'
        or (events.kind = 'reply' and events.move is not null and undone.position is null)
),

spoken as (
    select * from questions
    union all
    select * from answers
),

dated as (
    select
        spoken.*,
        spoken.occurred_at < coalesce(account_start.live_since, '-infinity') as is_history
    from spoken
    inner join batch_ticket on spoken.ticket_no = batch_ticket.ticket_no
    left join core.account_start as account_start on batch_ticket.account = account_start.account
),

turns as (
    select
        *,
        lag(is_question, 1, false) over of_ticket as was_question,
        lag(is_history, 1, false) over of_ticket as was_history
    from dated
    window of_ticket as (partition by ticket_no, generation order by position)
),

-- From here questions and answers alternate, beginning with a question; but the last one of history and the first
-- one after it may follow each other, and then one answer ends both.
exchanges as (
    select
        *,
        lead(is_question, 1, false) over of_ticket as is_asked_again,
        lead(occurred_at, 1) over of_ticket as next_at,
        lead(occurred_at, 2) over of_ticket as second_at,
        lead(kind, 1) over of_ticket as next_kind,
        lead(kind, 2) over of_ticket as second_kind
    from turns
    where is_question <> was_question or (is_question and was_history and not is_history)
    window of_ticket as (partition by ticket_no, generation order by position)
),

cycles as (
    select
        ticket_no,
        generation,
        row_number() over (partition by ticket_no, generation order by position) as cycle,
        occurred_at as started_at,
        case when is_asked_again then second_at else next_at end as stopped_at,
        case when is_asked_again then second_kind else next_kind end as stopped_by
    from exchanges
    where is_question
)

select * from cycles
