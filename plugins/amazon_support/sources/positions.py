"""Watermarks: how far a source has been read. Moved in the transaction that lands what was read."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from amazon_support.warehouse import run_step
from amazon_support.window import Window


def position(connection: Connection, account: str, source: str, scope: str) -> dict[str, Any] | None:
    """The position a source was left at; None before the first read."""
    found: dict[str, Any] | None = connection.execute(
        text("select position from ops.watermark where account = :account and source = :source and scope = :scope"),
        {"account": account, "source": source, "scope": scope},
    ).scalar()
    return found


def move(connection: Connection, account: str, source: str, scope: str, to: dict[str, Any]) -> None:
    """Sets the position of a source."""
    statement = text(
        "insert into ops.watermark (account, source, scope, position) values (:account, :source, :scope, :position) "
        "on conflict (account, source, scope) do update set position = excluded.position, moved_at = excluded.moved_at"
    )
    connection.execute(
        statement.bindparams(bindparam("position", type_=JSONB)),
        {"account": account, "source": source, "scope": scope, "position": to},
    )


def note_pulled(connection: Connection, account: str, source: str, scope: str, span: Window) -> None:
    """Notes that the source was asked for the span to the end, whether it had anything to tell or not."""
    pulled = {
        "account": account,
        "source": source,
        "scope": scope,
        "window_start": span.start,
        "window_end": span.end,
        "pulled_at": datetime.now(UTC),  # book-keeping: the wall clock
    }
    run_step(connection, "sources/pulled.sql", pulled)


def note_read(connection: Connection, account: str, source: str, scope: str, *, read_at: datetime) -> None:
    """Notes that all there was by then (aware UTC) has been read, of a source whose position leaves no gaps."""
    run_step(
        connection,
        "sources/read_until.sql",
        {"account": account, "source": source, "scope": scope, "read_at": read_at},
    )
