-- In: batches of mail. Out: core.mail has none of it, to be written anew.
delete from core.mail as filed
where filed.batch_id = any(%(batch_ids)s::bigint[])
