-- In: an export of a desk that was read, and the batch of its rows. Out: ops.desk_file has it.
insert into ops.desk_file (account, desk, content_key, name, bytes, modified_at, batch_id, read_at, known_columns)
values (
    %(account)s::text,
    %(desk)s::text,
    %(content_key)s::text,
    %(name)s::text,
    %(bytes)s::bigint,
    %(modified_at)s::timestamptz,
    %(batch_id)s::bigint,
    %(read_at)s::timestamptz,
    %(known_columns)s::integer
)
on conflict (account, desk, content_key, name) do update set modified_at = excluded.modified_at
