-- In: batch_event, solve_after_silence, close_after_solved. Out: temporary table batch_transition: the status
-- after each event (position) and after each automatic transition (no position), in the order at, rank,
-- position; the generation of the ticket it belongs to; and whether it is void, that is, came when the ticket
-- was closed. At one instant events come before automatic transitions: a message at the very instant of the
-- automatic solve or close is in time.
create temporary table batch_transition on commit drop as
with latest as (
    select
        ticket_no,
        position,
        occurred_at,
        kind,
        move,
        coalesce(max(position) filter (where move = 'buyer_message') over so_far, 0) as message,
        coalesce(max(position) filter (where move = 'reply') over so_far, 0) as reply,
        coalesce(max(position) filter (where move = 'hold') over so_far, 0) as hold,
        coalesce(max(position) filter (where move = 'solve') over so_far, 0) as solve,
        coalesce(max(position) filter (where move = 'unread') over so_far, 0) as unread,
        coalesce(max(position) filter (where move = 'close') over so_far, 0) as close,
        coalesce(max(position) filter (where move = 'delivery_failure') over so_far, 0) as failure,
        coalesce(max(position) filter (where move <> 'buyer_message') over so_far, 0) as deed
    from batch_event
    window so_far as (partition by ticket_no order by position)
),

-- Which came last tells the status. On hold ends by a message, solving or unread only; solved also by a hold
-- or a failure; new by the first deed, because a message leaves a new ticket new. That a follow-up ticket
-- begins without a deed is added at the end, when the generations are known.
stated as (
    select
        *,
        case
            when close > message then 'closed'
            when deed = unread then 'new'
            when hold > greatest(message, solve, unread) then 'on_hold'
            when solve > greatest(message, hold, unread, failure) then 'solved'
            when reply > greatest(message, unread, failure) then 'pending'
            else 'open'
        end as status,
        greatest(message, hold, solve, unread, failure) as silent_since
    from latest
),

spoken as (
    select
        *,
        lead(occurred_at, 1, 'infinity') over (partition by ticket_no order by position) as next_at
    from stated
    where move <> 'assign'
),

-- Since the event `silent_since` nobody but us has spoken: the first gap that is too long solves the ticket,
-- and our later replies find it solved.
silences as (
    select
        ticket_no,
        silent_since,
        message,
        min(occurred_at) + %(solve_after_silence)s::interval as solved_at
    from spoken
    where
        move = 'reply'
        and status = 'pending'
        and next_at > occurred_at + %(solve_after_silence)s::interval
    group by ticket_no, silent_since, message
),

solved_by_itself as (
    select
        stated.ticket_no,
        stated.occurred_at as at,
        0 as rank,
        stated.position,
        stated.message,
        stated.deed,
        stated.kind as cause,
        case
            when stated.status = 'pending' and stated.occurred_at > silences.solved_at then 'solved'
            else stated.status
        end as status
    from stated
    left join silences
        on stated.ticket_no = silences.ticket_no and stated.silent_since = silences.silent_since
    union all
    select
        ticket_no,
        solved_at as at,
        1 as rank,
        null as position,
        message,
        null as deed,
        'auto_solve' as cause,
        'solved' as status
    from silences
),

changes as (
    select
        *,
        lag(status, 1, 'none') over (partition by ticket_no order by at, rank, position) as status_before
    from solved_by_itself
),

periods as (
    select
        *,
        lead(at, 1, 'infinity') over (partition by ticket_no order by at, rank, position) as until_at
    from changes
    where status <> status_before
),

-- A message ends being solved, so each stretch from one message to the next closes, or not: by itself, or by an
-- agent. What comes after its first close is void.
closes as (
    select
        ticket_no,
        message,
        min(at) + %(close_after_solved)s::interval as at,
        2 as rank,
        null::bigint as position
    from periods
    where status = 'solved' and until_at > at + %(close_after_solved)s::interval
    group by ticket_no, message
    union all
    select
        ticket_no,
        message,
        min(occurred_at) as at,
        0 as rank,
        min(position) as position
    from stated
    where move = 'close'
    group by ticket_no, message
),

first_closes as (
    select distinct on (ticket_no, message)
        ticket_no,
        message,
        at,
        rank,
        position
    from closes
    order by ticket_no, message, at, rank
),

closed as (
    select * from solved_by_itself
    union all
    select
        ticket_no,
        at,
        rank,
        null as position,
        message,
        null as deed,
        'auto_close' as cause,
        'closed' as status
    from first_closes
    where rank = 2
),

generations as (
    select
        closed.*,
        1 + count(first_closes.rank) filter (
            where closed.rank = 2 or closed.position = first_closes.position
        ) over (
            partition by closed.ticket_no
            order by closed.message range between unbounded preceding and 1 preceding
        ) as generation,
        coalesce(
            closed.at > first_closes.at
            or (closed.at = first_closes.at and closed.position > first_closes.position),
            false
        ) as is_void
    from closed
    left join first_closes
        on closed.ticket_no = first_closes.ticket_no and closed.message = first_closes.message
),

transitions as (
    select
        ticket_no,
        generation,
        at,
        rank,
        position,
        cause,
        is_void,
        case
            when status = 'open' and deed < min(position) over (partition by ticket_no, generation) then 'new'
            else status
        end as status
    from generations
)

select * from transitions
