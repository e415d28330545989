"""How promises were kept, by day and month: mart.compliance, of which only what changed is made anew."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, CursorResult

from amazon_support.settings import Settings
from amazon_support.warehouse import run_step

# So many tickets at once are a first import or a rebuild, of which the planner has no statistics yet.
MANY = 1_000


@dataclass(frozen=True)
class ComplianceCounts:
    """What was made anew. tickets: counted again. periods: days and months of an account. rows: in mart.compliance."""

    tickets: int
    periods: int
    rows: int


def write_compliance(connection: Connection, settings: Settings, *, as_of: datetime) -> ComplianceCounts:
    """Brings compliance up to the last midnight (UTC) before `as_of`, in the caller's transaction.

    Counts the tickets that were folded since the last time, and makes the days and months anew that differ by it, and
    those that have ended since. The same facts and settings give the same rows, however often and in whatever order it
    is called. An `as_of` before an earlier one takes nothing back.

    Args:
        as_of: aware UTC.
    """
    _step(connection, "lock")
    moved = _step(connection, "places", places=json.dumps(_places(settings))).mappings().all()
    if moved:
        _step(connection, "touch_places", places=json.dumps([dict(place) for place in moved]))
    made_until: date | None = _step(connection, "made_until").scalar()
    ended = as_of.astimezone(UTC).date()
    until = max(made_until or ended, ended)
    tickets = _step(connection, "claim").rowcount
    if tickets >= MANY:
        run_step(connection, "tickets/analyze_answers.sql")
    for step in ("analyze_tickets", "subjects", "analyze_subjects", "cycles", "analyze_cycles"):
        _step(connection, step)
    periods = _step(connection, "periods_changed", made_until=made_until, until=until).rowcount
    _step(connection, "analyze_periods")
    for step in ("clear_cycles", "add_cycles", "clear_periods"):
        _step(connection, step)
    rows = _step(connection, "fill_periods").rowcount
    _step(connection, "know_until", until=until)
    _step(connection, "clear_touched")
    _step(connection, "drop_batch")
    return ComplianceCounts(tickets, periods, rows)


def rebuild_compliance(connection: Connection, settings: Settings, *, as_of: datetime) -> ComplianceCounts:
    """All of it anew, as `write_compliance` would have made it."""
    _step(connection, "lock")
    _step(connection, "forget")
    return write_compliance(connection, settings, as_of=as_of)


def _places(settings: Settings) -> list[dict[str, str | None]]:
    """What a cycle's desk and team follow from; the one place that says so."""
    return [
        {
            "account": account.name,
            "marketplace": site.country,
            "region": site.region,
            "desk": settings.desk(account, site.country),
            "team": special.team if (special := account.marketplaces.get(site.country)) else None,
        }
        for account in settings.accounts
        for site in settings.marketplaces
    ]


def _step(connection: Connection, step: str, **parameters: object) -> CursorResult[Any]:
    return run_step(connection, f"compliance/{step}.sql", parameters)
