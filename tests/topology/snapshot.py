"""What a warehouse holds, without what differs from run to run: numbers of batches, and instants of our own work."""

import hashlib
from collections.abc import Mapping

from sqlalchemy import Connection, text

SCHEMAS = ("core", "mart", "pii")
# When something was done and by which batch is not what was found.
OURS = {
    "batch_id",
    "landed_at",
    "seen_at",
    "recorded_at",
    "created_at",
    "updated_at",
    "queued_at",
    "sent_at",
    "attempts",
    "available_at",
    "archived_as",
    "outbox_id",
    "started_at",
    "first_seen_at",
    "linked_at",
    "sorted_at",
}
COLUMNS = """
select table_schema || '.' || table_name as table, array_agg(column_name::text order by ordinal_position) as columns
from information_schema.columns
inner join information_schema.tables using (table_schema, table_name)
where table_schema = any(:schemas) and table_type = 'BASE TABLE'
group by table_schema, table_name order by 1
"""


def snapshot(connection: Connection) -> dict[str, str]:
    """By table: how many rows, and a hash of all of them."""
    found = {}
    for table, columns in connection.execute(text(COLUMNS), {"schemas": list(SCHEMAS)}):
        kept = ", ".join(f'"{name}"' for name in columns if name not in OURS)
        rows = connection.execute(text(f"select ({kept})::text as line from {table} order by 1")).scalars().all()
        found[table] = f"{len(rows)} rows, {hashlib.md5(chr(10).join(map(str, rows)).encode()).hexdigest()}"
    return found


def differences(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Tables that are not the same, in words."""
    return [
        f"{table}: {one.get(table)} / {other.get(table)}"
        for table in {**one, **other}
        if one.get(table) != other.get(table)
    ]
