"""Reads what pages show, and puts on record who was shown personal data."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from amazon_support.warehouse import run_step
from amazon_support.web.visitor import Visitor

Row = dict[str, Any]


def rows(connection: Connection, step: str, **parameters: Any) -> list[Row]:
    """The rows of include/sql/web/<step>.sql."""
    return [dict(row) for row in run_step(connection, f"web/{step}.sql", parameters).mappings()]


def note_view(connection: Connection, visitor: Visitor, account: str, subject: str, page: str, at: datetime) -> None:
    """In the transaction that reads the data: without the record nothing is shown."""
    seen = {"account": account, "subject": subject, "visitor": visitor.name, "page": page, "seen_at": at}
    run_step(connection, "web/note_view.sql", seen)
