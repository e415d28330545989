-- In: kept_from, together. Out: so many counts of calls to Amazon from before then are gone, the oldest first; returns
-- how many.
with old as (
    select
        run,
        account,
        region,
        operation
    from ops.api_call
    where first_at < %(kept_from)s::timestamptz
    order by first_at
    limit %(together)s
),

gone as (
    delete from ops.api_call as known
    using old
    where
        known.run = old.run
        and known.account = old.account
        and known.region = old.region
        and known.operation = old.operation
    returning 1
)

select count(*) as entries from gone
