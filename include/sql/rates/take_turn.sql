-- In: who wants to make which call, and when; the published rate and burst. Out: the bucket has one token less, the
-- run one call more; returns when the call may be made (in the past: at once) and the rate known by now.
with counted as (
    insert into ops.api_call as known (run, account, region, operation, calls, first_at)
    values (
        %(run)s::text, %(account)s::text, %(region)s::text, %(operation)s::text, 1, %(now)s::timestamptz
    )
    on conflict (run, account, region, operation) do update set calls = known.calls + 1
)

insert into ops.rate_bucket as bucket (account, region, operation, rate, burst, full_at)
values (
    %(account)s::text,
    %(region)s::text,
    %(operation)s::text,
    %(rate)s::double precision,
    %(burst)s::integer,
    %(now)s::timestamptz + make_interval(secs => 1 / %(rate)s::double precision)
)
on conflict (account, region, operation) do update
    set full_at = greatest(bucket.full_at, %(now)s::timestamptz) + make_interval(secs => 1 / bucket.rate)
returning
    full_at - make_interval(secs => burst / rate) as turn_at,
    rate
