-- In: since; ops.api_call, ops.rate_bucket. Out: calls to Amazon since then by operation, beside the rate (calls a
-- second) that Amazon allows an account in a region, and the share of it that was used in the busiest hour.
with hours as (
    select
        account,
        region,
        operation,
        date_trunc('hour', first_at) as began_at,
        sum(calls) as calls,
        sum(throttled) as throttled
    from ops.api_call
    where first_at >= %(since)s::timestamptz
    group by account, region, operation, date_trunc('hour', first_at)
)

select
    hours.operation,
    sum(hours.calls) as calls,
    sum(hours.throttled) as throttled,
    min(bucket.rate) as rate,
    max(hours.calls / nullif(bucket.rate * 3600, 0)) as used
from hours
left join ops.rate_bucket as bucket
    on hours.account = bucket.account and hours.region = bucket.region and hours.operation = bucket.operation
group by hours.operation
order by sum(hours.calls) desc, hours.operation asc
