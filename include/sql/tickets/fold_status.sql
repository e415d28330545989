-- In: batch_ticket, batch_transition, mart.ticket. Out: mart.ticket_status, known until infinity. What lasts
-- no time is left out, and neighbours of one status become one period with the cause of the first.
insert into mart.ticket_status (
    account,
    ticket_id,
    ticket_key,
    status,
    from_at,
    until_at,
    cause,
    marketplace,
    ticket_type
)
with transitions as (
    select
        *,
        lag(status, 1, 'none') over (
            partition by ticket_no, generation order by at, rank, position
        ) as status_before
    from batch_transition
    where not is_void
),

changes as (
    select
        *,
        lead(at, 1, 'infinity') over (
            partition by ticket_no, generation order by at, rank, position
        ) as next_at
    from transitions
    where status <> status_before
),

lasting as (
    select
        ticket_no,
        generation,
        at,
        status,
        cause,
        lag(status, 1, 'none') over (partition by ticket_no, generation order by at) as status_before
    from changes
    where at < next_at
),

periods as (
    select
        ticket_no,
        generation,
        status,
        cause,
        at as from_at,
        lead(at, 1, 'infinity') over (partition by ticket_no, generation order by at) as until_at
    from lasting
    where status <> status_before
),

named as (
    select
        ticket.account,
        ticket.ticket_id,
        ticket.ticket_key,
        periods.status,
        periods.from_at,
        periods.until_at,
        periods.cause,
        ticket.marketplace,
        ticket.ticket_type
    from periods
    inner join batch_ticket on periods.ticket_no = batch_ticket.ticket_no
    inner join mart.ticket as ticket
        on
            batch_ticket.account = ticket.account
            and batch_ticket.ticket_key = ticket.ticket_key
            and periods.generation = ticket.generation
)

select * from named
order by account, ticket_id, from_at
