"""What each event does to a ticket's status: the table of the product's rules, cell by cell."""

from typing import Any

import pytest
from sqlalchemy import Connection
from ticket_histories import POLICY, fold, history, moment, record, statuses

from amazon_support import tickets

# How to bring a ticket into a status, before noon of 2026-03-01.
REACH = {
    "new": [("2026-03-01 08:00", "buyer_message")],
    "open": [("2026-03-01 08:00", "buyer_message"), ("2026-03-01 09:00", "assign")],
    "pending": [("2026-03-01 08:00", "buyer_message"), ("2026-03-01 09:00", "reply")],
    "on_hold": [("2026-03-01 08:00", "buyer_message"), ("2026-03-01 09:00", "hold")],
    "solved": [("2026-03-01 08:00", "buyer_message"), ("2026-03-01 09:00", "solve")],
}
TABLE = {
    # event:             new        open       pending    on_hold    solved
    "buyer_message":      ("new", "open", "open", "open", "open"),
    "notice":             ("new", "open", "open", "open", "open"),
    "reply":              ("pending", "pending", "pending", "on_hold", "solved"),
    "assign":             ("open", "open", "pending", "on_hold", "solved"),
    "hold":               ("on_hold", "on_hold", "on_hold", "on_hold", "on_hold"),
    "solve":              ("solved", "solved", "solved", "solved", "solved"),
    "no_response_needed": ("solved", "solved", "solved", "solved", "solved"),
    "unread":             ("new", "new", "new", "new", "new"),
    "delivery_failure":   ("open", "open", "open", "on_hold", "open"),
    "note":               ("new", "open", "pending", "on_hold", "solved"),
    "close":              ("closed", "closed", "closed", "closed", "closed"),
    "change_type":        ("new", "open", "pending", "on_hold", "solved"),
    "attach_order":       ("new", "open", "pending", "on_hold", "solved"),
    "merge":              ("new", "open", "pending", "on_hold", "solved"),
}  # fmt: skip
NOON = "2026-03-01 12:00"


def status_after(connection: Connection, kind: str, **fields: Any) -> dict[str, tuple[str, str]]:
    """For each status: the one that the event at noon leads to, and what caused that one."""
    for status, events in REACH.items():
        numbered = [(*told, {"source_id": f"{status} {number}"}) for number, told in enumerate(events)]
        noon = (NOON, kind, {"source_id": status, **fields})
        record(connection, history(*numbered, noon, key=status))
    tickets.fold(connection, POLICY)
    at_noon = {row["ticket_key"]: row for row in tickets.status_as_of(connection, moment(NOON))}
    return {status: (at_noon[status]["status"], at_noon[status]["cause"]) for status in REACH}


@pytest.mark.parametrize("kind", TABLE)
def test_an_event_moves_the_status_by_the_table(connection: Connection, kind: str) -> None:
    expected = dict(zip(REACH, TABLE[kind], strict=True))
    assert status_after(connection, kind) == {
        before: (after, kind if before != after else REACH[before][-1][1]) for before, after in expected.items()
    }


@pytest.mark.parametrize("kind", ["buyer_message", "reply"])
def test_an_automatic_message_or_reply_changes_nothing(connection: Connection, kind: str) -> None:
    unchanged = {before: (before, events[-1][1]) for before, events in REACH.items()}
    assert status_after(connection, kind, is_automatic=True) == unchanged


def test_a_notice_sent_by_a_machine_is_still_a_notice(connection: Connection) -> None:
    fold(connection, *REACH["pending"], (NOON, "notice", {"is_automatic": True}))
    assert statuses(connection)[-1] == (NOON, "open", "notice")


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("buyer_message", "new"),
        ("notice", "new"),
        ("note", "new"),
        ("unread", "new"),
        ("assign", "open"),
        ("delivery_failure", "open"),
        ("reply", "pending"),
        ("hold", "on_hold"),
        ("solve", "solved"),
    ],
)
def test_whatever_comes_first_makes_the_ticket(connection: Connection, kind: str, status: str) -> None:
    fold(connection, (NOON, kind))
    assert statuses(connection)[0] == (NOON, status, kind)


@pytest.mark.parametrize("kind", ["buyer_message", "reply"])
def test_even_an_automatic_mail_makes_a_ticket(connection: Connection, kind: str) -> None:
    fold(connection, (NOON, kind, {"is_automatic": True}))
    assert statuses(connection) == [(NOON, "new", kind)]


def test_a_ticket_stays_new_however_often_the_buyer_writes(connection: Connection) -> None:
    fold(connection, ("2026-03-01 08:00", "buyer_message"), ("2026-03-01 09:00", "buyer_message"), (NOON, "notice"))
    assert statuses(connection) == [("2026-03-01 08:00", "new", "buyer_message")]


def test_a_second_event_of_one_status_begins_no_second_period(connection: Connection) -> None:
    fold(connection, *REACH["solved"], (NOON, "no_response_needed"))
    assert statuses(connection)[1] == ("2026-03-01 09:00", "solved", "solve")


# ---------- several events at one instant


def test_at_one_instant_the_source_order_decides(connection: Connection) -> None:
    fold(connection, (NOON, "reply", {"source_order": 1}), (NOON, "buyer_message", {"source_order": 0}))
    assert statuses(connection)[0] == (NOON, "pending", "reply")


def test_with_one_source_order_the_source_decides_then_its_id(connection: Connection) -> None:
    fold(
        connection,
        (NOON, "hold", {"source": "b", "source_id": "1"}),
        (NOON, "reply", {"source": "a", "source_id": "3"}),
        (NOON, "buyer_message", {"source": "a", "source_id": "2"}),
    )
    assert statuses(connection) == [(NOON, "on_hold", "hold")]


def test_a_status_that_lasted_no_time_leaves_no_period(connection: Connection) -> None:
    fold(connection, *REACH["on_hold"], (NOON, "unread"), (NOON, "hold"))
    assert statuses(connection) == [
        ("2026-03-01 08:00", "new", "buyer_message"),
        ("2026-03-01 09:00", "on_hold", "hold"),
    ]


# ---------- delivery failures


def test_a_failed_delivery_opens_the_ticket_again(connection: Connection) -> None:
    fold(connection, *REACH["pending"], (NOON, "delivery_failure", {"detail": {"reply": "e2"}}))
    assert statuses(connection) == [
        ("2026-03-01 08:00", "new", "buyer_message"),
        ("2026-03-01 09:00", "pending", "reply"),
        (NOON, "open", "delivery_failure"),
    ]


def test_a_failed_delivery_opens_a_ticket_solved_meanwhile(connection: Connection) -> None:
    fold(
        connection,
        *REACH["pending"],
        ("2026-03-01 10:00", "solve"),
        (NOON, "delivery_failure", {"detail": {"reply": "e2"}}),
    )
    assert statuses(connection)[-1] == (NOON, "open", "delivery_failure")


def test_a_failed_delivery_leaves_a_ticket_on_hold_that_was_put_there_meanwhile(connection: Connection) -> None:
    fold(
        connection,
        *REACH["pending"],
        ("2026-03-01 10:00", "hold"),
        (NOON, "delivery_failure", {"detail": {"reply": "e2"}}),
    )
    assert statuses(connection)[-1] == ("2026-03-01 10:00", "on_hold", "hold")


def test_an_answer_given_before_unread_counts_no_more(connection: Connection) -> None:
    fold(connection, *REACH["pending"], ("2026-03-01 10:00", "unread"), (NOON, "assign"))
    assert statuses(connection)[2:] == [("2026-03-01 10:00", "new", "unread"), (NOON, "open", "assign")]
