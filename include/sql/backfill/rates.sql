-- In: accounts; ops.rate_bucket. Out: the rates and bursts that Amazon named, by account, region and operation.
select
    account,
    region,
    operation,
    rate,
    burst
from ops.rate_bucket
where account = any(%(accounts)s::text[])
