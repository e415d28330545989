-- In: together. Out: some removed mails whose files are still in the archive, and which of their names no other mail
-- has.
with waiting as (
    select * from ops.removal
    where archived_as <> '{}' and files_removed_at is null
    order by run_id, account, key
    limit %(together)s
)

select
    waiting.run_id,
    waiting.account,
    waiting.key,
    array(
        select file.name from unnest(waiting.archived_as) as file (name)
        where
            not exists (
                select 1 from pii.mail_received as other
                where other.archived_as = file.name and other.meaning is not null
            )
    ) as names
from waiting
