"""Folds the events of touched tickets into tickets, status periods and service-level clocks, step by step in SQL."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from amazon_support.settings import Policy
from amazon_support.tickets.clocks import Promises, fold_clocks
from amazon_support.warehouse import run_step
from amazon_support.warehouse.bulk_write import without_indexes

ANSWERS = ("mart.ticket", "mart.ticket_status", "mart.sla_clock", "mart.sla_pause")
REBUILD_FROM = 20_000  # keys; fewer are as fast beside the others
REBUILD_MEMORY = "256MB"  # for each sort and hash of a step


@dataclass(frozen=True)
class FoldCounts:
    """What one fold wrote.

    touched: ticket keys claimed. tickets: tickets of these keys, follow-ups included. periods: status periods.
    clocks: cycles of all service-level clocks.
    """

    touched: int
    tickets: int
    periods: int
    clocks: int


def fold(connection: Connection, policy: Policy, promises: Promises | None = None) -> FoldCounts:
    """Derives every ticket in ops.ticket_touched anew, in the caller's transaction.

    The answers depend on the recorded events and the policy only, not on the time or on the order in which the
    events arrived. Until the transaction ends, other folds and writers of ticket events wait.

    Args:
        promises: what the clocks are folded by; default: the policy as shipped.

    Returns: how much was written.
    """
    return _fold(connection, policy, promises or Promises(), is_rebuild=False)


def fold_all(connection: Connection, policy: Policy, promises: Promises | None = None) -> FoldCounts:
    """Derives every ticket there is anew: after a change of rules or policy. As `fold`, in the caller's transaction."""
    run_step(connection, "tickets/touch_all.sql")
    return _fold(connection, policy, promises or Promises(), is_rebuild=True)


def _fold(connection: Connection, policy: Policy, promises: Promises, *, is_rebuild: bool) -> FoldCounts:
    run_step(connection, "tickets/lock_touched.sql")
    touched = run_step(connection, "tickets/claim_touched.sql").rowcount
    # What compliance is to count again is noted before any mart is locked: it locks in that order, too.
    for step in ("claim_merged", "resolve_merges", "number_tickets", "name_tickets", "note_folded"):
        run_step(connection, f"tickets/{step}.sql")
    if touched >= REBUILD_FROM:
        is_rebuild = is_rebuild or run_step(connection, "tickets/is_rebuild.sql").scalar_one()
    with _rebuilding(connection) if is_rebuild else nullcontext():
        return _fold_claimed(connection, touched, policy, promises)


@contextmanager
def _rebuilding(connection: Connection) -> Iterator[None]:
    """Begins with empty marts and builds their indexes at the end. Who reads the marts waits meanwhile."""
    run_step(connection, "tickets/empty_answers.sql")
    run_step(connection, "tickets/work_memory.sql", {"memory": REBUILD_MEMORY})
    with without_indexes(connection, ANSWERS):
        yield
    run_step(connection, "tickets/analyze_answers.sql")


def _fold_claimed(connection: Connection, touched: int, policy: Policy, promises: Promises) -> FoldCounts:
    run_step(connection, "tickets/order_events.sql")
    run_step(
        connection,
        "tickets/derive_transitions.sql",
        {
            "solve_after_silence": _seconds(policy.solve_after_silence),
            "close_after_solved": _seconds(policy.close_after_solved),
        },
    )
    for step in ("clear_answers", "forget_merges", "record_merges", "type_changes", "order_changes"):
        run_step(connection, f"tickets/{step}.sql")
    tickets = run_step(connection, "tickets/fold_ticket.sql").rowcount
    periods = run_step(connection, "tickets/fold_status.sql").rowcount
    run_step(connection, "tickets/record_refusals.sql")
    clocks = fold_clocks(connection, promises)
    run_step(connection, "tickets/clear_touched.sql")
    run_step(connection, "tickets/drop_batch.sql")
    return FoldCounts(touched, tickets, periods, clocks)


def _seconds(duration: timedelta) -> str:
    # An interval of days would have 23 or 25 hours where a session's time zone changes its clocks.
    return f"{duration.total_seconds():f} seconds"
