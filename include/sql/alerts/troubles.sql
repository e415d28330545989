-- In: as_of, accounts, silent_after, stuck_after, hour_late_after (spans); core.mail, ops.watermark, pii.outbox,
-- mart.data_quality_trouble, ops.sending_hold, ops.hour_done. Out: what is wrong as of then with mailboxes, pipeline
-- and data: topic, account, subject, cycle (one outage, or day, from the next; of data ten times as much from before),
-- since_at, count, place, not_for (of dead letters: who is not to be told). Of imitations and dead letters older than
-- a day nobody is told any more.
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

amiss as (
    select * from mart.data_quality_trouble
    where since <= %(as_of)s::timestamptz
),

dead as (
    select
        recipient,
        dead_at::date - date '1970-01-01' as day,
        min(dead_at) as dead_at,
        count(*) as messages
    from pii.outbox
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
    from pii.outbox
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
    account,
    concat_ws(' ', dataset, rule, scope, to_char(since at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS')) as subject,
    floor(log(size::numeric))::integer as cycle,
    since as since_at,
    size as count,
    sentence as place,
    null as not_for
from amiss
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
