-- In: run_id, kind, entries, removed_at. Out: ops.removal counts what belongs to no single order, ticket or mail.
insert into ops.removal as known (run_id, account, kind, key, entries, removed_at)
values (%(run_id)s::bigint, '', %(kind)s, '', %(entries)s::integer, %(removed_at)s::timestamptz)
on conflict (account, kind, key, run_id) do update
    set
        entries = known.entries + excluded.entries,
        removed_at = excluded.removed_at
