"""The state of support in ten lines."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection

from amazon_support.outputs.items import duration
from amazon_support.settings import Policy
from amazon_support.warehouse import run_step

MOST_TROUBLES = 10  # told in a summary
STATUSES = ("new", "open", "pending", "on_hold", "solved", "closed")


@dataclass(frozen=True)
class Summary:
    """Counts as of an instant (aware UTC); of quarantine and outbox as they are. auto_solved: last 24 hours."""

    as_of: datetime
    tickets: dict[str, int]
    breached: int
    at_risk: int
    waiting_since: datetime | None
    auto_solved: int
    orders_to_ship: int
    orders_late: int
    orders_soon: int
    mail_to_decide: int
    quarantined: int
    messages_sent: int
    messages_waiting: int
    messages_dead: int


def summary(connection: Connection, policy: Policy, *, as_of: datetime) -> Summary:
    """Counts tickets, clocks, orders and messages as of an instant."""
    parameters = {"as_of": as_of, "ship_soon": policy.warn_shipment_before}
    row = run_step(connection, "marts/summary.sql", parameters).mappings().one()
    return Summary(as_of=as_of, **row)


def api_calls(connection: Connection, run: str) -> str:
    """One line: the run's calls to Amazon by operation, lined up with the summary."""
    rows = run_step(connection, "marts/api_calls.sql", {"run": run}).all()
    calls = ", ".join(f"{row.calls} {row.operation}" for row in rows) or "none"
    throttled = sum(row.throttled for row in rows)
    return f"{'Calls to Amazon':<16} {calls}{f'; {throttled} told to wait' if throttled else ''}"


def data_quality(connection: Connection) -> str:
    """What a person should look at, lined up with the summary; one line if that is nothing."""
    found = [f"{row.account}: {row.sentence}" for row in run_step(connection, "marts/data_quality_trouble.sql")]
    shown = found[:MOST_TROUBLES] + ([f"and {len(found) - MOST_TROUBLES} more"] if len(found) > MOST_TROUBLES else [])
    return f"{'Data quality':<16} " + ("\n" + " " * 17).join(shown or ["nothing to look at"])


def render(summary: Summary) -> str:
    """Ten lined-up lines."""
    tickets = ", ".join(f"{summary.tickets.get(status, 0)} {status.replace('_', ' ')}" for status in STATUSES)
    waiting = summary.waiting_since
    lines = {
        "As of": f"{summary.as_of.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        "Tickets": tickets,
        "Breached": str(summary.breached),
        "At risk": str(summary.at_risk),
        "Oldest waiting": duration(int((summary.as_of - waiting).total_seconds())) if waiting else "nobody waits",
        "Auto-solved": f"{summary.auto_solved} in the last 24 h",
        "Orders to ship": f"{summary.orders_to_ship}, {summary.orders_late} late, {summary.orders_soon} to ship soon",
        "Mail to decide": str(summary.mail_to_decide),
        "Quarantined": f"{summary.quarantined} rows",
        "Messages": f"{summary.messages_sent} sent, {summary.messages_waiting} waiting, "
        f"{summary.messages_dead} given up",
    }
    return "\n".join(f"{name:<16} {value}" for name, value in lines.items())
