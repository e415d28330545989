-- In: since; ops.api_call, ops.rate_bucket. Out: calls to Amazon since then by operation, beside the rate it allows.
with calls as (
    select
        operation,
        sum(calls) as calls,
        sum(throttled) as throttled
    from ops.api_call
    where first_at >= %(since)s::timestamptz
    group by operation
),

rates as (
    select
        operation,
        min(rate) as rate,
        min(burst) as burst
    from ops.rate_bucket
    group by operation
)

select
    calls.operation,
    calls.calls,
    calls.throttled,
    rates.rate,
    rates.burst
from calls
left join rates on calls.operation = rates.operation
order by calls.calls desc, calls.operation asc
