"""Figures of service levels, for the pages and the digest."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import Connection

from amazon_support.warehouse import read_step

Row = dict[str, Any]


def days(connection: Connection, since: date, until: date, **about: Any) -> list[Row]:
    """Compliance of each day (UTC) from `since` up to `until`, and the backlog at its end: levels/days.sql.

    `about`: metric; places, the marketplaces (null: all).
    """
    return _rows(connection, "days", _about(since=since, until=until, **about))


def by(connection: Connection, since: date, until: date, name: str, **about: Any) -> list[Row]:
    """Compliance of those days together by `name` (marketplace, agent, ticket_type, desk, team), the lowest first."""
    return _rows(connection, "by", _about(since=since, until=until, **about) | {"by": name})


def shape(connection: Connection, accounts: Sequence[str], since: date, until: date, **about: Any) -> list[Row]:
    """How long the cycles of those days took, and when they began: levels/shape.sql."""
    return _rows(connection, "shape", _about(accounts=list(accounts), **_instants(since, until), **about))


def cycles(connection: Connection, accounts: Sequence[str], since: date, until: date, **asked: Any) -> list[Row]:
    """The cycles behind a figure of those days, the longest first: levels/cycles.sql.

    `asked`: what is named there, each null (any) unless it is given.
    """
    anything = dict.fromkeys(
        ("by", "name", "outcome", "weekday", "hour", "least", "below", "marketplaces", "team"), None
    )
    return _rows(connection, "cycles", anything | _about(accounts=list(accounts), **_instants(since, until)) | asked)


def _about(**asked: Any) -> Row:
    return {"metric": "amazon_reply", "places": None, **asked}


def _instants(since: date, until: date) -> dict[str, datetime]:
    return {"since": datetime.combine(since, time(), UTC), "until": datetime.combine(until, time(), UTC)}


def _rows(connection: Connection, step: str, parameters: Row) -> list[Row]:
    return read_step(connection, f"levels/{step}.sql", parameters)
