"""Runs SQL files: one step a file, parameters bound, never pasted."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import psycopg
from psycopg.rows import dict_row
from sqlalchemy import Connection, CursorResult

from amazon_support.settings import home

FETCHED_TOGETHER = 2000  # rows


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
    with _own(connection).cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql_text(name), dict(parameters or {})).fetchall()


def read_steps(
    connection: Connection, asked: Mapping[str, tuple[str, Mapping[str, Any]]]
) -> dict[str, list[dict[str, Any]]]:
    """The rows of several steps by the keys of `asked`, which has the step and its parameters as read_step takes them.

    None is waited for before the next is sent: under load each wait is a turn of the processor that others take.

    Raises: psycopg.Error.
    """
    own = _own(connection)
    with own.pipeline():
        sent = {
            key: own.cursor(row_factory=dict_row).execute(sql_text(step), about) for key, (step, about) in asked.items()
        }
        return {key: cursor.fetchall() for key, cursor in sent.items()}


def each_row(
    connection: Connection, name: str, parameters: Mapping[str, Any] | None = None
) -> Iterator[dict[str, Any]]:
    """The rows of one SQL step as read_step takes it, fetched as they are asked for: of any number.

    Raises: psycopg.Error.
    """
    with _own(connection).cursor("each_row", row_factory=dict_row) as cursor:
        cursor.itersize = FETCHED_TOGETHER
        yield from cursor.execute(sql_text(name), dict(parameters or {}))


def _own(connection: Connection) -> psycopg.Connection[Any]:
    return connection.connection.driver_connection  # type: ignore[return-value]
