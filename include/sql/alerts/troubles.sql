-- In: as_of, accounts, silent_after, stuck_after, hour_late_after (spans), set_aside_above (share); core.mail,
-- ops.watermark, ops.batch, ops.quarantine, ops.outbox, ops.sending_hold, ops.hour_done. Out: what is wrong as of then
-- with mailboxes and the pipeline: topic, account, subject, cycle (one outage, or day, from the next), since_at, count,
-- recipient (of dead letters: who is not to be told). Of what is older than a day nobody is told any more.
with imitations as (
    select * from core.mail
    where
        kind = 'imitation'
        and received_at > %(as_of)s::timestamptz - interval '1 day'
        and received_at <= %(as_of)s::timestamptz
),

silent as (
    select
        account,
        source,
        max(moved_at) as moved_at
    from ops.watermark
    where account = any(%(accounts)s::text[])
    group by account, source
    having max(moved_at) < %(as_of)s::timestamptz - %(silent_after)s::interval
),

checked as (
    select
        *,
        %(set_aside_above)s::numeric as most
    from ops.batch
    where
        checked_at > %(as_of)s::timestamptz - interval '1 day'
        and checked_at <= %(as_of)s::timestamptz
),

set_aside as (
    select
        checked.batch_id,
        count(distinct quarantine.row_key) as bad_rows
    from checked
    inner join ops.quarantine as quarantine on checked.batch_id = quarantine.batch_id
    group by checked.batch_id
),

dead as (
    select
        recipient,
        dead_at::date - date '1970-01-01' as day,
        min(dead_at) as dead_at,
        count(*) as messages
    from ops.outbox
    where
        state = 'dead'
        and dead_at > %(as_of)s::timestamptz - interval '1 day'
        and dead_at <= %(as_of)s::timestamptz
    group by recipient, dead_at::date
),

holding as (
    select 1 as held from ops.sending_hold
    where lifted_at is null
),

stuck as (
    select
        min(available_at) as waiting_since,
        count(*) as messages
    from ops.outbox
    where
        state = 'waiting'
        and available_at < %(as_of)s::timestamptz - %(stuck_after)s::interval
        and not exists (select 1 from holding)
),

newest_hour as (
    select max(as_of) as as_of from ops.hour_done
    where as_of <= %(as_of)s::timestamptz
    having max(as_of) <= %(as_of)s::timestamptz - interval '1 hour' - %(hour_late_after)s::interval
)

select
    'phishing' as topic,
    account,
    mail_id as subject,
    1 as cycle,
    received_at as since_at,
    1 as count,
    mailbox || '/' || folder as place,
    null as not_for
from imitations
union all
select
    'silent' as topic,
    account,
    source as subject,
    (extract(epoch from moved_at) / 60)::integer as cycle,
    moved_at as since_at,
    1 as count,
    source as place,
    null as not_for
from silent
union all
select
    'quality' as topic,
    checked.account,
    checked.batch_id::text as subject,
    1 as cycle,
    checked.checked_at as since_at,
    coalesce(set_aside.bad_rows, checked.row_count) as count,
    checked.dataset || ', batch ' || checked.batch_id
    || case when checked.rejected_because is not null then ', rejected as a whole' else '' end as place,
    null as not_for
from checked
left join set_aside on checked.batch_id = set_aside.batch_id
where checked.rejected_because is not null or set_aside.bad_rows > checked.row_count * checked.most
union all
select
    'dead' as topic,
    '' as account,
    md5(recipient) as subject,
    day as cycle,
    dead_at as since_at,
    messages as count,
    '' as place,
    recipient as not_for
from dead
union all
select
    'stuck' as topic,
    '' as account,
    'outbox' as subject,
    waiting_since::date - date '1970-01-01' as cycle,
    waiting_since as since_at,
    messages as count,
    '' as place,
    null as not_for
from stuck
where waiting_since is not null
union all
select
    'late_hour' as topic,
    '' as account,
    'worklists' as subject,
    (extract(epoch from as_of) / 3600)::integer as cycle,
    as_of as since_at,
    1 as count,
    '' as place,
    null as not_for
from newest_hour
