-- In: as_of, accounts, smallest_judged; core.mail. Out: one row an account with mail sent in the day before as_of: the
-- share that nobody recognised, null of few mails.
with mails as (
    select * from core.mail
    where
        account = any(%(accounts)s::text[])
        and sent_at > %(as_of)s::timestamptz - interval '1 day'
        and sent_at <= %(as_of)s::timestamptz
)

select
    account,
    'all' as scope,
    case when count(*) >= %(smallest_judged)s::integer then avg((kind = 'unknown')::integer) end as unknown_share,
    count(*) filter (where kind = 'unknown') || ' of ' || count(*) || ' mails of a day' as unknown_share_because
from mails
group by account
