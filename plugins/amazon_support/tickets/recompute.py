"""Folds the tickets of a span of time anew, and tells what is different by it, and why."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from amazon_support.settings import Policy
from amazon_support.tickets.clocks import Promises
from amazon_support.tickets.fold import fold, fold_all
from amazon_support.tickets.replay import copy_rows
from amazon_support.warehouse import run_step
from amazon_support.warehouse.steps import sql_text

LISTED = 200
Rules = tuple[Policy, Promises]


@dataclass(frozen=True)
class Change:
    """One thing that is different.

    Attributes:
        what: status, clock (that it is there, or when it started), due, breach, stop. metric, cycle: of a clock.
        at: when the status, or the clock, began. before, after: as text, instants in UTC; None: nothing.
        because: policy or calendar version, target, rule, or event. event: kind, source and source id of what
            happened at `at`, if anything did.
    """

    account: str
    ticket_id: str
    what: str
    metric: str | None
    cycle: int | None
    at: datetime
    before: str | None
    after: str | None
    because: str
    event: str | None


@dataclass(frozen=True)
class Recomputed:
    """The difference report. tickets: ticket keys folded anew. applied: whether the warehouse was changed."""

    since: datetime
    until: datetime
    applied: bool
    tickets: int
    changes: tuple[Change, ...]

    def json(self) -> str:
        return json.dumps(asdict(self), indent=2, default=lambda moment: moment.astimezone(UTC).isoformat())

    def table(self) -> str:
        changed = dict.fromkeys((change.account, change.ticket_id) for change in self.changes)
        did = "changed" if self.applied else "would change"
        lines = [
            f"{self.since:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M} UTC: {len(changed):,} of the tickets of "
            f"{self.tickets:,} conversations {did}"
        ]
        lines += [f"{count:>9,}  {what}: {why}" for (what, why), count in self._reasons().most_common()]
        lines += [line for key in list(changed)[:LISTED] for line in self._of(key)]
        if len(changed) > LISTED:
            lines.append(f"… and {len(changed) - LISTED:,} more tickets: --json has them all")
        return "\n".join(lines)

    def _reasons(self) -> Counter[tuple[str, str]]:
        return Counter((_kind(change), change.because) for change in self.changes)

    def _of(self, key: tuple[str, str]) -> Iterator[str]:
        yield "/".join(key)
        for change in self.changes:
            if (change.account, change.ticket_id) == key:
                what = f"{change.metric} {change.cycle} {change.what}" if change.metric else change.what
                yield f"  {change.at:%Y-%m-%d %H:%M}  {what:<30}{change.before or '-'} -> {change.after or '-'}"
                yield f"  {'':<48}{change.because}" + (f"; began with {change.event}" if change.event else "")


def _kind(change: Change) -> str:
    if change.what != "breach":
        return change.what
    return "newly breached" if not change.before else "breached at another time" if change.after else "no breach"


def recompute(warehouse: Connection, rules: Rules, *, since: datetime, until: datetime) -> Recomputed:
    """Folds the tickets that were not closed at some time from `since` up to `until` anew, in the caller's transaction.

    Tickets with events that no fold has seen yet are folded with them. Other folds wait until the transaction ends.

    Args:
        rules: what the warehouse is to be folded by. since, until: aware UTC.
    """
    run_step(warehouse, "tickets/lock_touched.sql")
    tickets = _claim(warehouse, since, until)
    _see(warehouse, "before")
    run_step(warehouse, "recompute/touch.sql")
    fold(warehouse, *rules)
    _see(warehouse, "after")
    return Recomputed(since, until, True, tickets, _changes(warehouse, until))


def try_recompute(
    warehouse: Connection, scratch: Connection, rules: Rules, *, since: datetime, until: datetime
) -> Recomputed:
    """What `recompute` would change; the warehouse is only read.

    Args:
        warehouse: at the beginning of its transaction. scratch: to an empty scratch warehouse (replay.scratch).
    """
    # The answers and the events that they are compared with must be of one instant.
    warehouse.exec_driver_sql("set transaction isolation level repeatable read")
    tickets = _claim(warehouse, since, until)
    _see(warehouse, "before")
    _claim(scratch, since, until)
    copy_rows(warehouse, sql_text("recompute/events.sql"), scratch, "core.ticket_event")
    for table in ("recomputed", "seen_period", "seen_clock"):
        copy_rows(warehouse, f"select * from {table}", scratch, table)  # noqa: S608 - names of this file
    fold_all(scratch, *rules)
    _see(scratch, "after")
    return Recomputed(since, until, False, tickets, _changes(scratch, until))


def _claim(connection: Connection, since: datetime, until: datetime) -> int:
    for table in ("make_periods", "make_clocks"):
        run_step(connection, f"recompute/{table}.sql")
    return run_step(connection, "recompute/tickets.sql", {"since": since, "until": until}).rowcount


def _see(connection: Connection, side: str) -> None:
    for step in ("see_periods", "see_clocks"):
        run_step(connection, f"recompute/{step}.sql", {"side": side})


def _changes(connection: Connection, until: datetime) -> tuple[Change, ...]:
    rows: Any = run_step(connection, "recompute/difference.sql", {"until": until}).mappings()
    return tuple(Change(**row) for row in rows)
