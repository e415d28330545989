-- In: account, source, scope, a span of time that the source was asked for to the end. Out: ops.pulled has it, too.
insert into ops.pulled as known (account, source, scope, spans, pulled_at)
values (
    %(account)s::text,
    %(source)s::text,
    %(scope)s::text,
    tstzmultirange(tstzrange(%(window_start)s::timestamptz, %(window_end)s::timestamptz)),
    %(pulled_at)s::timestamptz
)
on conflict (account, source, scope) do update
    set spans = known.spans + excluded.spans, pulled_at = greatest(known.pulled_at, excluded.pulled_at)
