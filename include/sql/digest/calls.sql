-- In: accounts, since, until (instants). Out: calls to Amazon of that time by operation, the most first; throttled:
-- those that were told to wait.
select
    operation,
    sum(calls) as calls,
    sum(throttled) as throttled
from ops.api_call
where
    account = any(%(accounts)s::text[])
    and first_at >= %(since)s::timestamptz
    and first_at < %(until)s::timestamptz
group by operation
order by calls desc, operation asc
