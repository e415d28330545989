-- In: batch_key. Out: ops.ticket_touched without the keys of this fold.
delete from ops.ticket_touched as touched
using batch_key
where touched.account = batch_key.account and touched.ticket_key = batch_key.ticket_key
