-- In: before. Out: results of checks made for instants before then are gone; returns how many.
with old as (
    delete from ops.check_result
    where as_of < %(before)s::timestamptz
    returning rule
)

select count(*) as results from old
