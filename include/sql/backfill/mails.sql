-- In: accounts, a span of receipt, sample; landed mail that was not removed. Out: by account how many mails were
-- received then, and the names in the archive of some: names are digests, so the first ones are as good as drawn.
with mails as (
    select distinct
        account,
        mail_id,
        archived_as
    from pii.mail_received
    where
        account = any(%(accounts)s::text[])
        and meaning is not null
        and received_at >= %(since)s::timestamptz
        and received_at < %(until)s::timestamptz
),

numbered as (
    select
        account,
        mail_id,
        archived_as,
        row_number() over (partition by account order by archived_as) as number
    from mails
)

select
    account,
    count(distinct mail_id) as mails,
    array_agg(archived_as order by archived_as) filter (where number <= %(sample)s::integer) as drawn
from numbered
group by account
