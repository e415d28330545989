-- In: batch_key. Out: mart.ticket_merged knows nothing of these keys.
delete from mart.ticket_merged as merged
using batch_key
where merged.account = batch_key.account and merged.ticket_key = batch_key.ticket_key
