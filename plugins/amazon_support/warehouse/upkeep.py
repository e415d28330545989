"""Keeps tables that only grow within bounds: worklists by month, made ahead and dropped, and what says that they were
made and sent; counts of calls."""

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
        hours: notes that an hour's worklists were made, deleted. messages: notes that a message was sent, deleted.
        calls: counts of calls to Amazon, deleted.
    """

    months_made: int = 0
    months_dropped: int = 0
    items: int = 0
    hours: int = 0
    messages: int = 0
    calls: int = 0


def keep_up(engine: Engine, retention: Retention, *, as_of: datetime) -> Upkeep:
    """Makes room for the months to come and forgets what is older than retention.yaml says, in batches.

    May be killed at any moment and repeated. A message that is forgotten cannot be sent again: its key names the hour
    of a live run, and a day later (the least that worklists are kept) no run of that hour is live any more.

    Args:
        as_of: aware UTC, not ahead of the clock.
    """
    lists_kept_from, together = as_of - retention.worklists_kept, retention.removed_together
    with engine.begin() as connection:
        spans = {"as_of": as_of, "kept_from": lists_kept_from}
        months = run_step(connection, "ops/worklist_months.sql", spans).one()
    return Upkeep(
        months.made,
        months.dropped,
        items=_batches(engine, "forget_hour", lists_kept_from, together),
        hours=_batches(engine, "forget_hours_done", lists_kept_from, together),
        messages=_batches(engine, "forget_messages", lists_kept_from, together),
        calls=_batches(engine, "forget_calls", as_of - retention.calls_kept, together),
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
