-- In: a folder (account, mailbox, folder, uid_validity), mended (UIDs that came, or are no longer there).
-- Out: ops.mail_failure without them, and without those of UIDs that the folder no longer uses.
delete from ops.mail_failure
where
    account = %(account)s::text
    and mailbox = %(mailbox)s::text
    and folder = %(folder)s::text
    and (uid_validity <> %(uid_validity)s::bigint or uid = any(%(mended)s::bigint[]))
