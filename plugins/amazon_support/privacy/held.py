"""What personal data there is, and what was removed of it."""

from typing import Any

from sqlalchemy import Connection

from amazon_support.warehouse import run_step

Row = dict[str, Any]


def held(connection: Connection) -> list[Row]:
    """Each place with personal data: what, place, rows, oldest (aware UTC; None: nothing is there)."""
    return [dict(row) for row in run_step(connection, "privacy/holdings.sql").mappings()]


def record_of(connection: Connection, key: str | None = None, *, most: int = 20) -> list[Row]:
    """The newest removals, one row for each account and kind of what they removed (None where they removed nothing).

    Args:
        key: only those of this order, ticket key or mail.
    """
    return [dict(row) for row in run_step(connection, "privacy/record.sql", {"key": key, "most": most}).mappings()]
