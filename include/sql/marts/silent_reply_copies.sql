-- In: since, until, how many questions are enough; core.mail. Out: accounts to which so many buyers wrote since and of
-- whose replies no copy has come.
with received as (
    select
        account,
        count(*) filter (where kind = 'buyer_message') as questions,
        count(*) filter (where kind = 'reply_copy') as copies
    from core.mail
    where received_at >= %(since)s::timestamptz and received_at < %(until)s::timestamptz
    group by account
)

select
    account,
    questions
from received
where copies = 0 and questions >= %(enough)s::integer
order by account
