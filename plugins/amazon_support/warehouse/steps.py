"""Runs SQL files: one step a file, parameters bound, never pasted."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import psycopg
from psycopg.rows import dict_row
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


def read_step(connection: Connection, name: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """The rows of one SQL step inside the caller's transaction, as run_step takes it.

    For pages, which ask twenty small questions: by psycopg's own cursor, as SQLAlchemy's takes twice as long for a few
    rows.

    Raises: psycopg.Error.
    """
    own: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    with own.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql_text(name), dict(parameters or {})).fetchall()
