-- In: core.ticket_event. Out: ops.ticket_touched has every ticket there is.
insert into ops.ticket_touched (account, ticket_key)
with tickets as (
    select distinct
        account,
        ticket_key
    from core.ticket_event
)

select * from tickets
order by account, ticket_key
on conflict (account, ticket_key) do nothing
