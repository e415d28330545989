-- In: batch_key. Out: temporary table batch_ticket, the tickets of this fold.
create temporary table batch_ticket on commit drop as
select
    ticket_no,
    account,
    named_key as ticket_key
from batch_key
group by ticket_no, account, named_key
