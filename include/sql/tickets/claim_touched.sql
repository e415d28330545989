-- In: ops.ticket_touched. Out: temporary table batch_claim, the keys of this fold.
create temporary table batch_claim on commit drop as
select
    account,
    ticket_key
from ops.ticket_touched
