-- In: account, source, scope, read_at. Out: ops.pulled has that everything there was by then was read, from the first
-- reading on: of sources whose own position (a UID, a file's content) leaves no gaps.
insert into ops.pulled as known (account, source, scope, spans, pulled_at)
values (
    %(account)s::text,
    %(source)s::text,
    %(scope)s::text,
    tstzmultirange(tstzrange(%(read_at)s::timestamptz, %(read_at)s::timestamptz, '[]')),
    %(read_at)s::timestamptz
)
on conflict (account, source, scope) do update
    set
        spans = tstzmultirange(range_merge(known.spans + excluded.spans)),
        pulled_at = greatest(known.pulled_at, excluded.pulled_at)
