-- In: at, reason. Out: ops.sending_hold; if all sending is held already, that stays.
insert into ops.sending_hold (held_at, reason)
values (%(at)s::timestamptz, %(reason)s::text)
on conflict do nothing
