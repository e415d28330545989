-- In: kept_from, together. Out: of the hours noted as done so many from before then are gone, the oldest first, but
-- never the newest: by it a late one is missed; returns how many.
with old as (
    select as_of from ops.hour_done
    where
        as_of < %(kept_from)s::timestamptz
        and as_of < (select max(newest.as_of) from ops.hour_done as newest)
    order by as_of
    limit %(together)s
),

gone as (
    delete from ops.hour_done as hour
    using old
    where hour.as_of = old.as_of
    returning 1
)

select count(*) as entries from gone
