-- In: before, together. Out: so many entries of who was shown personal data before then are gone, the oldest first;
-- returns how many.
with old as (
    select view_id from ops.personal_data_view
    where seen_at <= %(before)s::timestamptz
    order by seen_at
    limit %(together)s
),

gone as (
    delete from ops.personal_data_view as known
    using old
    where known.view_id = old.view_id
    returning 1
)

select count(*) as entries from gone
