"""Keeps tables that only grow within bounds: worklists by month, made ahead and dropped; counts of calls."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from amazon_support.settings.retention import Retention
from amazon_support.warehouse.steps import run_step


@dataclass(frozen=True)
class Upkeep:
    """What was done, fit for XCom.

    Attributes:
        months_made, months_dropped: parts of the worklists. items: of worklists without such a part, deleted.
        calls: counts of calls to Amazon, deleted.
    """

    months_made: int
    months_dropped: int
    items: int
    calls: int


def keep_up(engine: Engine, retention: Retention, *, as_of: datetime) -> Upkeep:
    """Makes room for the months to come and forgets what is older than retention.yaml says, in batches.

    May be killed at any moment and repeated.

    Args:
        as_of: aware UTC.
    """
    with engine.begin() as connection:
        spans = {"as_of": as_of, "kept_from": as_of - retention.worklists_kept}
        months = run_step(connection, "ops/worklist_months.sql", spans).one()
    return Upkeep(
        months.made,
        months.dropped,
        items=_batches(engine, "forget_hour", as_of - retention.worklists_kept, retention.removed_together),
        calls=_batches(engine, "forget_calls", as_of - retention.calls_kept, retention.removed_together),
    )


def _batches(engine: Engine, step: str, kept_from: datetime, together: int) -> int:
    """Runs a step, each time in a transaction, until it finds nothing. Returns how many rows it deleted."""
    deleted = 0
    while True:
        with engine.begin() as connection:
            spans = {"kept_from": kept_from, "together": together}
            entries: int = run_step(connection, f"ops/{step}.sql", spans).scalar_one()
        deleted += entries
        if not entries:
            return deleted
