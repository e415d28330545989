-- In: an account, a span of receipt; landed mail that was not removed. Out: each mail received then, as it was first
-- landed and is understood now, in the order of receipt.
with landed as (
    select * from pii.mail_received
    where
        account = %(account)s::text
        and meaning is not null
        and received_at >= %(since)s::timestamptz
        and received_at < %(until)s::timestamptz
),

of_mailboxes as (
    select * from ops.batch
    where dataset = 'mail'
),

first as (
    select distinct on (landed.mail_id) landed.*
    from landed
    inner join of_mailboxes on landed.batch_id = of_mailboxes.batch_id
    order by landed.mail_id, landed.batch_id
)

select
    mail_id,
    mailbox,
    folder,
    uid_validity,
    uid,
    received_at,
    archived_as,
    meaning
from first
order by received_at, mail_id
