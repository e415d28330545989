-- In: as_of; tickets that have somebody of the team now; status periods. Out: ops.ticket_waiting without them, and
-- without tickets that are closed.
with settled as (
    select
        settled.account,
        settled.ticket_id,
        settled.team
    from jsonb_to_recordset(%(settled)s::jsonb) as settled (account text, ticket_id text, team text)
),

closed as (
    select * from mart.ticket_status
    where status = 'closed' and from_at <= %(as_of)s::timestamptz
)

delete from ops.ticket_waiting as waiting
where
    exists (
        select 1 from settled
        where
            settled.account = waiting.account
            and settled.ticket_id = waiting.ticket_id
            and settled.team = waiting.team
    )
    or exists (
        select 1 from closed
        where closed.account = waiting.account and closed.ticket_id = waiting.ticket_id
    )
