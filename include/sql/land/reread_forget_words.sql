-- In: batches of mail. Out: pii.mail has none of their mail, to be written anew.
delete from pii.mail as words
using core.mail as filed
where
    filed.batch_id = any(%(batch_ids)s::bigint[])
    and words.account = filed.account
    and words.mail_id = filed.mail_id
