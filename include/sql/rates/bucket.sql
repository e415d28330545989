-- In: account, region and operation. Out: its bucket, if anybody ever took a turn.
select
    rate,
    burst,
    full_at
from ops.rate_bucket
where account = %(account)s::text and region = %(region)s::text and operation = %(operation)s::text
