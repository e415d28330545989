-- In: before. Out: the record of who was shown personal data before then is gone; returns how many entries.
with gone as (
    delete from ops.personal_data_view
    where seen_at <= %(before)s::timestamptz
    returning 1
)

select count(*) as entries from gone
