-- In: a folder (account, mailbox, folder, uid_validity). Out: mails of it that the server did not give.
select
    uid,
    attempts
from ops.mail_failure
where
    account = %(account)s::text
    and mailbox = %(mailbox)s::text
    and folder = %(folder)s::text
    and uid_validity = %(uid_validity)s::bigint
order by uid
