-- In: accounts; ops.batch. Out: how much feedback the newest report of each account and marketplace had.
select distinct on (account, scope)
    account,
    scope as marketplace,
    row_count as feedback
from ops.batch
where dataset = 'feedback' and account = any(%(accounts)s::text[])
order by account asc, scope asc, batch_id desc
