-- In: a removal's rule, instant and spans; because, started_at. Out: ops.removal_run has it; returns its id.
insert into ops.removal_run (
    rule, as_of, orders_kept, delivery_within, shipping_within, messages_kept, because, started_at
)
values (
    %(rule)s,
    %(as_of)s::timestamptz,
    %(orders_kept)s::interval,
    %(delivery_within)s::interval,
    %(shipping_within)s::interval,
    %(messages_kept)s::interval,
    %(because)s::text,
    %(started_at)s::timestamptz
)
returning run_id
