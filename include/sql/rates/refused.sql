-- In: a call that Amazon answered with 429, and when. Out: its bucket is empty (others use the same quota); the run
-- has one throttled call more.
with counted as (
    update ops.api_call set throttled = throttled + 1
    where
        run = %(run)s::text
        and account = %(account)s::text
        and region = %(region)s::text
        and operation = %(operation)s::text
)

update ops.rate_bucket
set full_at = greatest(full_at, %(now)s::timestamptz + make_interval(secs => burst / rate))
where account = %(account)s::text and region = %(region)s::text and operation = %(operation)s::text
