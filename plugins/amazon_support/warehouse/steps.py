"""Runs SQL files: one step a file, parameters bound, never pasted."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection, CursorResult

from amazon_support.settings import home


@cache
def sql_text(name: str) -> str:
    """Text of `include/sql/<name>`.

    Raises: FileNotFoundError naming the file.
    """
    return (home() / "include" / "sql" / name).read_text(encoding="utf-8")


def run_step(connection: Connection, name: str, parameters: Mapping[str, Any] | None = None) -> CursorResult[Any]:
    """Runs one SQL step inside the caller's transaction.

    Args:
        name: path below include/sql, such as "tickets/fold_status.sql". The file holds one statement and
            names its parameters as %(as_of)s.
        parameters: values by name; times are aware UTC datetimes.
    """
    return connection.exec_driver_sql(sql_text(name), dict(parameters or {}))
