-- In: batch_event, batch_transition. Out: temporary table batch_exchange: from the oldest buyer message not yet
-- answered to our first reply after it that was delivered, or to "no response needed". Nothing else ends one.
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
    where not transition.is_void
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

turns as (
    select
        *,
        lag(is_question, 1, false) over (partition by ticket_no, generation order by position) as was_question
    from spoken
),

-- From here questions and answers alternate, beginning with a question.
exchanges as (
    select
        *,
        lead(occurred_at) over (partition by ticket_no, generation order by position) as stopped_at,
        lead(kind) over (partition by ticket_no, generation order by position) as stopped_by
    from turns
    where is_question <> was_question
),

cycles as (
    select
        ticket_no,
        generation,
        row_number() over (partition by ticket_no, generation order by position) as cycle,
        occurred_at as started_at,
        stopped_at,
        stopped_by
    from exchanges
    where is_question
)

select * from cycles
