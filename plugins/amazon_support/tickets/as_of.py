"""What tickets and clocks were at an instant: a look-up in the folded periods, never a computation of its own."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping

from amazon_support.tickets.clocks import Promises, know_hours_until
from amazon_support.warehouse import run_step


def status_as_of(connection: Connection, as_of: datetime) -> Sequence[RowMapping]:
    """Every ticket that existed at `as_of` (aware UTC), ordered by account and ticket_id.

    Columns: account, ticket_id, ticket_key, follow_up_of, marketplace, ticket_type, order_id, case_id, buyer_ref,
    created_at, status, status_since, status_until (None: for ever), cause.
    """
    _require_zone(as_of)
    return run_step(connection, "tickets/status_as_of.sql", {"as_of": as_of}).mappings().all()


def clock_as_of(connection: Connection, as_of: datetime, promises: Promises | None = None) -> Sequence[RowMapping]:
    """Every cycle of a clock that had started at `as_of` (aware UTC), ordered by account, ticket_id, metric, cycle.

    Columns: account, ticket_id, ticket_key, metric, cycle, started_at, warn_at, due_at (while paused: as if it went
    on at once), stopped_at and stopped_by (None while running), elapsed_seconds (of the calendar), paused_seconds (of
    any hour), breached_at (None if not yet), state (running, at_risk, paused, breached_open, met, breached_met_late,
    cancelled), seconds_left (whole seconds until due, negative once breached), policy, calendar.

    Args:
        promises: what the clocks were folded by; default: the policy as shipped.
    """
    _require_zone(as_of)
    know_hours_until(connection, promises or Promises(), as_of)
    return run_step(connection, "sla/clock_as_of.sql", {"as_of": as_of}).mappings().all()


def _require_zone(as_of: datetime) -> None:
    if as_of.tzinfo is None:
        raise ValueError(f"as_of needs a time zone, got {as_of.isoformat()}")
