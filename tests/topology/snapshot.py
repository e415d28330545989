"""What a warehouse holds, without what differs from run to run: numbers given out, and instants of our own work."""

import hashlib
from collections.abc import Mapping

from sqlalchemy import Connection, text

# Of which batch, in which order written, and when by the wall clock.
NUMBERS = {"batch_id", "api_batch_id", "event_id", "calendar_id", "quarantine_id", "outbox_id", "retry_batch_id"}
WRITTEN_AT = {
    "core.account_start": {"live_since", "noted_at"},
    "core.ticket_event": {"landed_at"},
    "ops.alert": set(),
    "ops.hour_done": {"written_at"},
    "ops.order_lookup": {"attempts", "last_at", "next_at"},
    "ops.pulled": {"pulled_at"},
    "ops.quarantine": {"set_aside_at", "run"},
    "ops.watermark": {"moved_at"},
    "ops.compliance_made": set(),
    "ops.compliance_touched": set(),
    "ops.mail_failure": {"failed_at", "last_failed_at"},
    "ops.ticket_touched": set(),
    "ops.ticket_waiting": set(),
    "pii.mail_received": {"uid", "received_at", "archived_as"},  # of mails that came twice, that which was read first
    "pii.outbox": {"written_at", "available_at", "sent_at", "attempts", "last_error"},
    "raw.desk_action": {"read_at"},
}
# Of mailboxes and desks the span is when they were read.
INSTEAD = {("ops.pulled", "spans"): "case when source not in ('mailbox', 'desk') then spans end"}
# Of ops what the next hour builds on; not the books: batches, checks, calls, turns.
SCHEMAS = ("core", "mart", "pii", "raw")
# As it came: what came twice, because whoever fetched it died before it was known, is still one thing.
AS_RECEIVED = ("raw.", "pii.mail_received", "pii.order_received", "pii.desk_action")
COLUMNS = """
select table_schema || '.' || table_name, array_agg(column_name::text order by ordinal_position)
from information_schema.columns
inner join information_schema.tables using (table_schema, table_name)
where table_schema = any(:schemas) and table_type = 'BASE TABLE'
group by table_schema, table_name order by 1
"""


def rows(connection: Connection, only: str = "") -> dict[str, list[str]]:
    """By table, its rows as text, sorted."""
    found = {}
    for table, columns in connection.execute(text(COLUMNS), {"schemas": [*SCHEMAS, "ops"]}):
        if table.startswith("ops.") and table not in WRITTEN_AT or not table.startswith(only):
            continue
        left_out = NUMBERS | WRITTEN_AT.get(table, set())
        kept = ", ".join(INSTEAD.get((table, name), f'"{name}"') for name in columns if name not in left_out)
        distinct = "distinct" if table.startswith(AS_RECEIVED) else ""
        query = text(f"select {distinct} row({kept})::text from {table}")
        found[table] = sorted(connection.execute(query).scalars())
    return found


def snapshot(connection: Connection) -> dict[str, str]:
    """By table: how many rows, and a hash of all of them."""
    return {
        table: f"{len(lines)} rows, {hashlib.md5(chr(10).join(lines).encode()).hexdigest()}"
        for table, lines in rows(connection).items()
    }


def differences(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Tables that are not the same, in words."""
    return [
        f"{table}: {one.get(table)} / {other.get(table)}"
        for table in {**one, **other}
        if one.get(table) != other.get(table)
    ]
