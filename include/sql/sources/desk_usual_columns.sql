-- In: account, desk; ops.desk_file. Out: how many columns that the format knows the last ten exports usually had; null
-- before the first.
with last_ten as (
    select known_columns from ops.desk_file
    where account = %(account)s::text and desk = %(desk)s::text and known_columns is not null
    order by read_at desc
    limit 10
)

select percentile_disc(0.5) within group (order by known_columns) as known_columns from last_ten
