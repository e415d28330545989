-- In: accounts, since, until (instants), places (marketplaces; null: all). Out: how many tickets solved themselves
-- then.
with solved as (
    select * from mart.ticket_status
    where
        account = any(%(accounts)s::text[])
        and cause = 'auto_solve'
        and from_at >= %(since)s::timestamptz
        and from_at < %(until)s::timestamptz
),

asked as (
    select %(places)s::text[] as places
)

select count(*) as tickets
from solved
inner join mart.ticket as ticket on solved.account = ticket.account and solved.ticket_id = ticket.ticket_id
cross join asked
where asked.places is null or ticket.marketplace = any(asked.places)
