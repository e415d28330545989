"""Watermarks: how far a source has been read. Moved in the transaction that lands what was read."""

from typing import Any

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB


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
