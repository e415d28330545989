-- In: accounts, live_since. Out: core.account_start; an account that has a start keeps it.
insert into core.account_start (account, live_since)
select
    starting.account,
    %(live_since)s::timestamptz as live_since
from unnest(%(accounts)s::text[]) as starting (account)
on conflict (account) do nothing
