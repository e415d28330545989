-- In: the rate that Amazon named for an operation of an account and region, and when. Out: its bucket refills at that
-- rate; it lacks as many tokens as before.
update ops.rate_bucket
set
    rate = %(rate)s::double precision,
    full_at
    = %(now)s::timestamptz
    + greatest(full_at - %(now)s::timestamptz, interval '0') * (rate / %(rate)s::double precision)
where account = %(account)s::text and region = %(region)s::text and operation = %(operation)s::text
