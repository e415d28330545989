-- In: nothing. Out: nothing is counted, and every ticket is to be counted anew.
with cleared as (
    delete from mart.compliance_cycle
),

cleared_periods as (
    delete from mart.compliance
),

unmade as (
    delete from ops.compliance_made
)

insert into ops.compliance_touched (account, ticket_key)
select distinct
    account,
    ticket_key
from mart.ticket
on conflict (account, ticket_key) do nothing
