"""What personal data there is, and what was removed of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from amazon_support.warehouse import run_step

Row = dict[str, Any]
LATE_AFTER = timedelta(days=2)  # it is nightly: one may fail


@dataclass(frozen=True)
class LastRemoval:
    """When the newest removal by retention ended (aware UTC; None: none ever did); when there was first anything."""

    ended_at: datetime | None
    first_landed_at: datetime | None

    def is_late(self, now: datetime) -> bool:
        """Whether none ended for longer than two days."""
        since = self.ended_at or self.first_landed_at
        return since is not None and now - since > LATE_AFTER


def held(connection: Connection) -> list[Row]:
    """Each place with personal data: what, place, rows, oldest (aware UTC; None: nothing is there)."""
    return [dict(row) for row in run_step(connection, "privacy/holdings.sql").mappings()]


def record_of(connection: Connection, key: str | None = None, *, most: int = 20) -> list[Row]:
    """The newest removals, one row for each account and kind of what they removed (None where they removed nothing).

    Args:
        key: only those of this order, ticket key or mail.
    """
    return [dict(row) for row in run_step(connection, "privacy/record.sql", {"key": key, "most": most}).mappings()]


def last_removal(connection: Connection) -> LastRemoval:
    """Whether personal data is removed in time."""
    row = run_step(connection, "privacy/last_run.sql").one()
    return LastRemoval(row.finished_at, row.first_landed_at)
