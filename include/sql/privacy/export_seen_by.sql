-- In: account, order_id. Out: who of the staff was shown the buyer's data, and when.
with subjects as (
    select
        %(account)s::text as account,
        %(order_id)s::text as subject
    union
    select
        account,
        ticket_id as subject
    from mart.ticket
    where account = %(account)s and order_id = %(order_id)s
)

select
    seen.seen_at,
    seen.visitor,
    seen.page
from subjects
inner join ops.personal_data_view as seen on subjects.account = seen.account and subjects.subject = seen.subject
order by seen.seen_at
