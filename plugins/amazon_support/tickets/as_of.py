"""What tickets and clocks were at an instant: a look-up in the folded periods, never a computation of its own."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from amazon_support.warehouse import run_step


def status_as_of(connection: Connection, as_of: datetime) -> Sequence[RowMapping]:
    """Every ticket that existed at `as_of` (aware UTC), ordered by account and ticket_id.

    Columns: account, ticket_id, ticket_key, follow_up_of, marketplace, ticket_type, order_id, case_id, buyer_ref,
    created_at, status, status_since, status_until (None: for ever), cause.
    """
    return _rows(connection, "tickets/status_as_of.sql", as_of)


def clock_as_of(connection: Connection, as_of: datetime) -> Sequence[RowMapping]:
    """Every cycle of a clock that had started at `as_of` (aware UTC), ordered by account, ticket_id, metric, cycle.

    Columns: account, ticket_id, ticket_key, metric, cycle, started_at, warn_at, due_at, stopped_at and stopped_by
    (None while running), state (running, at_risk, breached_open, met, breached_met_late), seconds_left (whole
    seconds until due, negative once breached).
    """
    return _rows(connection, "sla/clock_as_of.sql", as_of)


def _rows(connection: Connection, step: str, as_of: datetime) -> Sequence[RowMapping]:
    if as_of.tzinfo is None:
        raise ValueError(f"as_of needs a time zone, got {as_of.isoformat()}")
    parameters: dict[str, Any] = {"as_of": as_of}
    return run_step(connection, step, parameters).mappings().all()
