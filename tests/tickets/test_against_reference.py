"""The set-based fold against the rules written down plainly: one event after the other, one ticket at a time."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection
from ticket_histories import POLICY, Event, event, record

from amazon_support import tickets

START = datetime(2026, 1, 1, tzinfo=UTC)
NEVER = datetime.max.replace(tzinfo=UTC)
WEEK, MONTH = POLICY.solve_after_silence, POLICY.close_after_solved

# status -> event -> next status; what is not named changes nothing.
MOVES = {
    "new": {"reply": "pending", "assign": "open", "delivery_failure": "open"},
    "open": {"buyer_message": "open", "reply": "pending"},
    "pending": {"buyer_message": "open", "delivery_failure": "open"},
    "on_hold": {"buyer_message": "open"},
    "solved": {"buyer_message": "open", "delivery_failure": "open"},
}
FROM_ANYWHERE = {
    "hold": "on_hold", "solve": "solved", "no_response_needed": "solved", "unread": "new", "close": "closed",
}  # fmt: skip


@dataclass
class Ticket:
    """The state machine of one ticket, from its first event on."""

    ticket_id: str
    status: str = "none"
    since: datetime = START
    last_reply: datetime = START
    changes: list[tuple[datetime, str, str]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def enter(self, status: str, at: datetime, cause: str) -> None:
        if status != self.status:
            self.status, self.since = status, at
            self.changes.append((at, status, cause))

    def wait_until(self, at: datetime) -> None:
        """Lets time pass: what falls due before that instant happens."""
        if self.status == "pending" and self.last_reply + WEEK < at:
            self.enter("solved", self.last_reply + WEEK, "auto_solve")
        if self.status == "solved" and self.since + MONTH < at:
            self.enter("closed", self.since + MONTH, "auto_close")

    def happen(self, told: Event) -> None:
        at, kind = instant(told), told["kind"]
        if self.status == "closed":
            self.events += [told] if kind == "reply" else []  # the buyer has an answer all the same
            return
        self.events.append(told)
        if self.status == "none":
            self.enter("new", at, kind)
        if not is_mute(told):
            move = "buyer_message" if kind == "notice" else kind
            self.enter(FROM_ANYWHERE.get(move) or MOVES[self.status].get(move, self.status), at, kind)
            if kind == "reply":
                self.last_reply = at

    def periods(self) -> list[tuple[str, datetime, datetime, str, str]]:
        """(ticket, from, until, status, cause), without those that lasted no time."""
        kept: list[tuple[datetime, str, str]] = []
        for change, end in zip(self.changes, [at for at, *_ in self.changes[1:]] + [NEVER], strict=True):
            if change[0] < end and (not kept or kept[-1][1] != change[1]):
                kept.append(change)
        ends = [at for at, *_ in kept[1:]] + [NEVER]
        return [(self.ticket_id, at, end, *rest) for (at, *rest), end in zip(kept, ends, strict=True)]

    def cycles(self) -> list[tuple[str, int, datetime, datetime | None, str | None]]:
        """(ticket, cycle, started, stopped, stopped by)"""
        undone = self.undone_replies()
        found: list[tuple[str, int, datetime, datetime | None, str | None]] = []
        asked: datetime | None = None
        for told in self.events:
            at, kind = instant(told), told["kind"]
            if kind == "buyer_message" and not is_mute(told):
                asked = asked or at
            answers = kind == "reply" and not is_mute(told) and told["source_id"] not in undone
            if asked and (answers or kind == "no_response_needed"):
                found.append((self.ticket_id, len(found) + 1, asked, at, kind))
                asked = None
        return [*found, (self.ticket_id, len(found) + 1, asked, None, None)] if asked else found

    def undone_replies(self) -> set[str]:
        undone = set()
        for number, told in enumerate(self.events):
            if told["kind"] == "delivery_failure":
                before = [e["source_id"] for e in self.events[:number] if e["kind"] == "reply"]
                undone.add(told["detail"].get("reply") or (before[-1] if before else ""))
        return undone


def instant(told: Event) -> datetime:
    return datetime.fromisoformat(told["occurred_at"])


def is_mute(told: Event) -> bool:
    return told["kind"] in ("note", "change_type") or (
        told["is_automatic"] and told["kind"] in ("reply", "buyer_message")
    )


def by_the_rules(events: list[Event]) -> list[Ticket]:
    """The ticket of these events and its follow-ups."""
    found: list[Ticket] = []
    for told in sorted(events, key=lambda e: (instant(e), e["source_order"], e["source"], e["source_id"])):
        if found:
            found[-1].wait_until(instant(told))
        writes = told["kind"] in ("buyer_message", "notice") and not is_mute(told)
        if not found or (found[-1].status == "closed" and writes):
            number = len(found) + 1
            found.append(Ticket(told["ticket_key"] + (f"#{number}" if number > 1 else "")))
        found[-1].happen(told)
    for ticket in found:
        ticket.wait_until(NEVER)
    return found


# ---------- random histories, rich in what is delicate: the instants of 7 and 28 days and their neighbours

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
GAPS = [0 * DAY, 0 * DAY, SECOND, DAY / 24, DAY, 3 * DAY]
GAPS += [span + offset for span in (WEEK, MONTH, WEEK + MONTH) for offset in (-SECOND, 0 * DAY, SECOND)]
KINDS = [
    *("buyer_message", "reply", "solve") * 2,
    *("notice", "assign", "hold", "no_response_needed", "unread", "delivery_failure", "note", "close", "change_type"),
]
STEPS = st.tuples(
    st.sampled_from(GAPS),
    st.sampled_from(KINDS),
    st.integers(0, 1),  # source order
    st.sampled_from(["a", "b"]),  # source
    st.sampled_from([False, False, False, True]),  # automatic
    st.sampled_from([None, "0", "1", "2", "3", "unknown"]),  # the reply that a failure names
)
HISTORIES = st.lists(st.lists(STEPS, min_size=2, max_size=14), min_size=5, max_size=25)


def events_of(number: int, steps: list[tuple[Any, ...]], account: str = "main") -> list[Event]:
    told, at = [], START
    for position, (gap, kind, source_order, source, is_automatic, names) in enumerate(steps):
        at += gap
        told.append(
            event(
                at,
                kind,
                key=f"DE:order:{number}",
                account=account,
                source=source,
                source_id=f"{number}-{position}",
                source_order=source_order,
                is_automatic=is_automatic,
                detail={"reply": f"{number}-{names}"} if kind == "delivery_failure" and names else {},
            )
        )
    return told


RELAXED = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@settings(RELAXED, max_examples=80)
@given(histories=HISTORIES)
def test_the_fold_says_what_the_rules_say(connection: Connection, histories: list[list[tuple[Any, ...]]]) -> None:
    with connection.begin_nested() as example:
        check(connection, [events_of(number, steps) for number, steps in enumerate(histories)])
        example.rollback()


def test_every_sequence_of_four_moves_says_what_the_rules_say(connection: Connection) -> None:
    moves = ("buyer_message", "reply", "assign", "hold", "solve", "unread", "delivery_failure", "close")
    sequences = itertools.product([(DAY, move, 0, "a", False, None) for move in moves], repeat=4)
    check(connection, [events_of(number, list(steps)) for number, steps in enumerate(sequences)])


def check(connection: Connection, told: list[list[Event]]) -> None:
    """Folds the histories (one a ticket) and compares periods and cycles with the rules."""
    expected = [ticket for events in told for ticket in by_the_rules(events)]
    record(connection, [e for events in told for e in events])
    tickets.fold(connection, POLICY)
    folded = connection.exec_driver_sql("select ticket_id from mart.ticket").scalars().all()
    periods = connection.exec_driver_sql(
        "select ticket_id, from_at, least(until_at, %(never)s), status, cause from mart.ticket_status",
        {"never": NEVER},
    ).all()
    cycles = connection.exec_driver_sql(
        "select ticket_id, cycle, started_at, stopped_at, stopped_by from mart.sla_clock where metric = 'amazon_reply'"
    ).all()
    assert sorted(folded) == sorted(ticket.ticket_id for ticket in expected)
    assert sorted(map(tuple, periods)) == sorted(period for ticket in expected for period in ticket.periods())
    assert sorted(map(tuple, cycles), key=str) == sorted((c for t in expected for c in t.cycles()), key=str)


@settings(RELAXED, max_examples=20)
@given(histories=HISTORIES, as_of=st.sampled_from(sorted({START + a + b for a in GAPS for b in GAPS})))
def test_what_happens_later_does_not_change_the_status_of_an_earlier_instant(
    connection: Connection, histories: list[list[tuple[Any, ...]]], as_of: datetime
) -> None:
    told = [e for number, steps in enumerate(histories) for e in events_of(number, steps, "knows_all")]
    known = [{**e, "account": "knew_then"} for e in told if instant(e) <= as_of]
    with connection.begin_nested() as example:
        record(connection, told + known)
        tickets.fold(connection, POLICY)
        rows = tickets.status_as_of(connection, as_of)
        example.rollback()
    columns = ("ticket_id", "created_at", "status", "status_since", "cause")
    knows_all, knew_then = (
        [tuple(row[column] for column in columns) for row in rows if row["account"] == account]
        for account in ("knows_all", "knew_then")
    )
    assert knows_all == knew_then
