-- In: places (account, marketplace). Out: ops.compliance_touched has their tickets.
insert into ops.compliance_touched (account, ticket_key)
with places as (
    select place.*
    from jsonb_to_recordset(%(places)s::jsonb) as place (account text, marketplace text)
)

select distinct
    ticket.account,
    ticket.ticket_key
from mart.ticket as ticket
inner join places on ticket.account = places.account and ticket.marketplace = places.marketplace
order by ticket.account, ticket.ticket_key
on conflict (account, ticket_key) do nothing
