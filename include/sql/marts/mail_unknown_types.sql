-- In: since, until; core.mail. Out: values of X-Space-Notification-Type that mail_rules.yaml lacks, most frequent
-- first.
with signals as (
    select unnest(signals) as signal
    from core.mail
    where received_at >= %(since)s::timestamptz and received_at < %(until)s::timestamptz
)

select
    replace(signal, 'header:unknown:', '') as notification_type,
    count(*) as mails
from signals
where signal like 'header:unknown:%%'
group by signal
order by mails desc, notification_type asc
