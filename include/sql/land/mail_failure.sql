-- In: a folder (account, mailbox, folder, uid_validity), a UID in it, reason. Out: ops.mail_failure: the server
-- did not give that mail, once more.
insert into ops.mail_failure (account, mailbox, folder, uid_validity, uid, reason)
values (
    %(account)s::text,
    %(mailbox)s::text,
    %(folder)s::text,
    %(uid_validity)s::bigint,
    %(uid)s::bigint,
    %(reason)s::text
)
on conflict (account, mailbox, folder, uid_validity, uid) do update set
    attempts = mail_failure.attempts + 1,
    last_failed_at = excluded.last_failed_at,
    reason = excluded.reason
