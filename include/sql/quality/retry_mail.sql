-- In: a batch of mail, keys of its rows, an empty batch. Out: the rows in that batch, too, as they were landed.
insert into pii.mail_received (
    batch_id,
    account,
    mail_id,
    mailbox,
    folder,
    uid_validity,
    uid,
    received_at,
    archived_as,
    meaning
)
select
    %(retry_batch_id)s::bigint as batch_id,
    account,
    mail_id,
    mailbox,
    folder,
    uid_validity,
    uid,
    received_at,
    archived_as,
    meaning
from pii.mail_received
where batch_id = %(batch_id)s::bigint and mail_id = any(%(row_keys)s::text[]) and meaning is not null
