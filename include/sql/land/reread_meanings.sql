-- In: checked batches of mail that was read again. Out: pii.mail_received: the mail as first landed has its new
-- meaning (what was removed stays so); returned are the accounts and from which batch on their mail must be linked
-- anew.
with reread as (
    select * from pii.mail_received
    where batch_id = any(%(batch_ids)s::bigint[]) and meaning is not null
),

aside as (
    select * from ops.quarantine
    where batch_id = any(%(batch_ids)s::bigint[])
),

newest as (
    select distinct on (reread.account, reread.mail_id) reread.*
    from reread
    left join aside
        on reread.batch_id = aside.batch_id and reread.mail_id = aside.row_key
    where aside.batch_id is null
    order by reread.account asc, reread.mail_id asc, reread.batch_id desc
),

of_mailboxes as (
    select * from ops.batch
    where dataset = 'mail'
),

first as (
    select distinct on (landed.account, landed.mail_id)
        landed.account,
        landed.mail_id,
        landed.batch_id,
        newest.meaning
    from pii.mail_received as landed
    inner join newest on landed.account = newest.account and landed.mail_id = newest.mail_id
    inner join of_mailboxes on landed.batch_id = of_mailboxes.batch_id
    where landed.meaning is not null
    order by landed.account, landed.mail_id, landed.batch_id
),

understood as (
    update pii.mail_received as kept
    set meaning = first.meaning
    from first
    where
        kept.account = first.account
        and kept.mail_id = first.mail_id
        and kept.batch_id = first.batch_id
    returning kept.account, kept.mail_id, kept.batch_id
),

released as (
    delete from ops.quarantine as set_aside
    using understood
    where
        set_aside.batch_id = understood.batch_id
        and set_aside.dataset = 'mail'
        and set_aside.row_key = understood.mail_id
)

select
    account,
    min(batch_id) as first_batch_id
from understood
group by account
