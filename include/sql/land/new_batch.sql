-- In: what a source brought, as numbers. Out: its row in ops.batch; returns the id.
insert into ops.batch (dataset, account, scope, window_start, window_end, row_count)
values (
    %(dataset)s::text,
    %(account)s::text,
    %(scope)s::text,
    %(window_start)s::timestamptz,
    %(window_end)s::timestamptz,
    %(row_count)s::integer
)
returning batch_id
