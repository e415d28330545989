-- In: batch_event, solve_after_silence, close_after_solved. Out: temporary table batch_transition: the status
-- after each event and after each automatic transition, the generation it belongs to, and whether it is void.
-- At one instant events come before automatic transitions (rank), so a message at the very instant of the
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
        coalesce(max(position) filter (where move = 'delivery_failure') over so_far, 0) as failure,
        coalesce(max(position) filter (where move <> 'buyer_message') over so_far, 0) as deed
    from batch_event
    window so_far as (partition by ticket_no order by position)
),

-- The status follows from which came last: only a message, solving or unread ends being on hold; only those,
-- a hold or a failure ends being solved; a message leaves a new ticket new, so new lasts until the first deed.
-- Whether a ticket without any deed yet is new depends on its generation, which is not known here.
stated as (
    select
        *,
        case
            when deed = unread then 'new'
            when hold > greatest(message, solve, unread) then 'on_hold'
            when solve > greatest(message, hold, unread, failure) then 'solved'
            when reply > greatest(message, unread, failure) then 'pending'
            else 'open'
        end as status,
        greatest(message, hold, solve, unread, failure) as silence_from
    from latest
),

spoken as (
    select
        *,
        lead(occurred_at, 1, 'infinity') over (partition by ticket_no order by position) as next_at
    from stated
    where move <> 'assign'
),

-- Between two events that end the silence, only replies happen: the first long enough gap after one solves.
silences as (
    select
        ticket_no,
        silence_from,
        message,
        deed_before,
        min(occurred_at) + %(solve_after_silence)s::interval as solved_at
    from (select *, 0 as deed_before from spoken) as spoken
    where status = 'pending' and move = 'reply' and next_at > occurred_at + %(solve_after_silence)s::interval
    group by ticket_no, silence_from, message, deed_before
)

select 1
