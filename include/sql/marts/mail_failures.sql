-- In: ops.mail_failure. Out: mail that a server lists and does not give, one row a folder.
select
    account,
    mailbox,
    folder,
    count(*) as mails,
    min(failed_at) as since
from ops.mail_failure
group by account, mailbox, folder
order by account, mailbox, folder
