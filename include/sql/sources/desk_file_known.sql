-- In: an account's desk, a content_key, or a name with bytes and modified_at; ops.desk_file. Out: whether that content
-- was read, and whether that very file was looked at.
with files as (
    select * from ops.desk_file
    where account = %(account)s::text and desk = %(desk)s::text
)

select
    coalesce(bool_or(content_key = %(content_key)s::text), false) as is_content_known,
    coalesce(
        bool_or(
            name = %(name)s::text and bytes = %(bytes)s::bigint and modified_at = %(modified_at)s::timestamptz
        ),
        false
    ) as is_file_known
from files
where
    content_key = %(content_key)s::text
    or (name = %(name)s::text and bytes = %(bytes)s::bigint and modified_at = %(modified_at)s::timestamptz)
