-- In: as_of, written_at. Out: ops.hour_done has that hour.
insert into ops.hour_done (as_of, written_at)
values (%(as_of)s::timestamptz, %(written_at)s::timestamptz)
on conflict (as_of) do nothing
