-- In: names that mails would have in the archive. Out: those of mails that were removed, and of no other.
select distinct removed.archived_as
from pii.mail_received as removed
where
    removed.archived_as = any(%(names)s::text[])
    and removed.meaning is null
    and not exists (
        select 1 from pii.mail_received as other
        where other.archived_as = removed.archived_as and other.meaning is not null
    )
