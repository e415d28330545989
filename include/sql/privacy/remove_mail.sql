-- In: privacy_due_mail, those after one number until another; run_id, removed_at. Out: people and words of these mails
-- are gone; core.mail keeps what they were and where they belong, for good; ops.removal has each mail, and its names in
-- the archive, whose files go next.
with run as (
    select
        %(run_id)s::bigint as run_id,
        %(removed_at)s::timestamptz as removed_at
),

due as (
    select
        account,
        mail_id
    from privacy_due_mail
    where number > %(after)s and number <= %(until)s
),

received as (
    update pii.mail_received as landed
    set meaning = null
    from due
    where landed.account = due.account and landed.mail_id = due.mail_id
    returning landed.account, landed.mail_id, landed.archived_as
),

words as (
    delete from pii.mail as mail
    using due
    where mail.account = due.account and mail.mail_id = due.mail_id
    returning mail.account, mail.mail_id
),

filed as (
    update core.mail as mail
    set batch_id = null
    from due
    where mail.account = due.account and mail.mail_id = due.mail_id
    returning mail.account, mail.mail_id
),

removed as (
    select * from received
    union all
    select
        *,
        null as archived_as
    from words
)

insert into ops.removal as known (run_id, account, kind, key, entries, removed_at, archived_as)
select
    run.run_id,
    due.account,
    'mail' as kind,
    due.mail_id as key,
    count(removed.mail_id) as entries,
    run.removed_at,
    coalesce(
        array_agg(distinct removed.archived_as) filter (where removed.archived_as is not null), '{}'
    ) as archived_as
from due
cross join run
left join removed on due.account = removed.account and due.mail_id = removed.mail_id
group by due.account, due.mail_id, run.run_id, run.removed_at
on conflict (account, kind, key, run_id) do update
    set entries = known.entries + excluded.entries
