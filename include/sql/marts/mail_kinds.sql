-- In: since, until; core.mail. Out: one row a day (UTC, by receipt), mailbox and kind: how many mails, and how many of
-- them nobody could read.
with received as (
    select
        *,
        (received_at at time zone 'UTC')::date as day,
        'failed:reading' = any(signals) as is_unreadable
    from core.mail
    where received_at >= %(since)s::timestamptz and received_at < %(until)s::timestamptz
)

select
    day,
    account,
    mailbox,
    kind,
    count(*) as mails,
    count(*) filter (where is_unreadable) as unreadable
from received
group by day, account, mailbox, kind
order by day desc, account asc, mailbox asc, kind asc
