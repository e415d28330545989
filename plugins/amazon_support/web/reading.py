"""Reads what pages show, and puts on record who was shown personal data."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from amazon_support.warehouse import each_row, read_step, read_steps, run_step
from amazon_support.web.visitor import Visitor

Row = dict[str, Any]


def rows(connection: Connection, step: str, **parameters: Any) -> list[Row]:
    """The rows of include/sql/web/<step>.sql."""
    return read_step(connection, f"web/{step}.sql", parameters)


def each(connection: Connection, step: str, **parameters: Any) -> Iterator[Row]:
    """The same, of any number."""
    return each_row(connection, f"web/{step}.sql", parameters)


def several(connection: Connection, **asked: tuple[str, Row]) -> dict[str, list[Row]]:
    """The rows of several steps, each named by its keyword, with its parameters."""
    return read_steps(connection, {key: (f"web/{step}.sql", about) for key, (step, about) in asked.items()})


def note_view(connection: Connection, visitor: Visitor, account: str, subject: str, page: str, at: datetime) -> None:
    """In the transaction that reads the data: without the record nothing is shown."""
    note_views(connection, visitor, [(account, subject)], page, at)


def note_views(
    connection: Connection, visitor: Visitor, seen: Sequence[tuple[str, str]], page: str, at: datetime
) -> None:
    """note_view of several: (account, ticket or order) each."""
    columns = {"accounts": [account for account, _ in seen], "subjects": [subject for _, subject in seen]}
    run_step(connection, "web/note_views.sql", columns | {"visitor": visitor.name, "page": page, "seen_at": at})


def mail_words(
    connection: Connection, visitor: Visitor, mails: Sequence[Row], page: str, at: datetime
) -> dict[tuple[str, str], Row]:
    """Sender, subject and beginning of each mail by (account, mail_id), on record; none for who may not see them.

    Args:
        mails: rows with account, ticket_id and mail_id.
    """
    if not mails or not visitor.sees_personal_data:
        return {}
    note_views(connection, visitor, [(mail["account"], mail["ticket_id"]) for mail in mails], page, at)
    keys = {"accounts": [mail["account"] for mail in mails], "mail_ids": [mail["mail_id"] for mail in mails]}
    return {(row["account"], row["mail_id"]): row for row in rows(connection, "mail_words", **keys)}
