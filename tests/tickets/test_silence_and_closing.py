"""Silence solves, time closes, both at the exact instant and only as long as nothing earlier is known."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection
from ticket_histories import KEY, fold, history, record, statuses

from amazon_support import tickets
from amazon_support.settings import Policy

ASKED = ("2026-03-01 08:00", "buyer_message")
REPLIED = ("2026-03-01 10:00", "reply")
NEW = ("2026-03-01 08:00", "new", "buyer_message")
PENDING = ("2026-03-01 10:00", "pending", "reply")
SILENT = ("2026-03-08 10:00", "solved", "auto_solve")


# ---------- 7 days of silence


def test_seven_days_of_silence_solve_and_28_more_close(connection: Connection) -> None:
    fold(connection, ASKED, REPLIED)
    assert statuses(connection) == [NEW, PENDING, SILENT, ("2026-04-05 10:00", "closed", "auto_close")]


def test_our_last_reply_begins_the_silence_anew(connection: Connection) -> None:
    fold(connection, ASKED, REPLIED, ("2026-03-05 12:00", "reply"))
    assert statuses(connection)[:3] == [NEW, PENDING, ("2026-03-12 12:00", "solved", "auto_solve")]


def test_assigning_notes_and_automatic_mail_do_not_break_the_silence(connection: Connection) -> None:
    fold(
        connection,
        ASKED,
        REPLIED,
        ("2026-03-02 10:00", "assign"),
        ("2026-03-03 10:00", "note"),
        ("2026-03-04 10:00", "reply", {"is_automatic": True}),
        ("2026-03-05 10:00", "buyer_message", {"is_automatic": True}),
    )
    assert statuses(connection)[:3] == [NEW, PENDING, SILENT]


def test_a_reply_after_the_silence_finds_the_ticket_solved(connection: Connection) -> None:
    fold(connection, ASKED, REPLIED, ("2026-03-09 10:00", "reply"))
    assert statuses(connection)[:3] == [NEW, PENDING, SILENT]
    assert len(statuses(connection)) == 4


def test_late_mail_written_before_the_silence_was_over_undoes_the_solving(connection: Connection) -> None:
    fold(connection, ASKED, REPLIED)
    assert SILENT in statuses(connection)
    fold(connection, ASKED, REPLIED, ("2026-03-07 22:00", "buyer_message"))
    assert statuses(connection) == [NEW, PENDING, ("2026-03-07 22:00", "open", "buyer_message")]


@pytest.mark.parametrize(
    ("written", "status"),
    [("2026-03-08 09:59:59", PENDING), ("2026-03-08 10:00:00", PENDING), ("2026-03-08 10:00:01", SILENT)],
)
def test_a_message_at_the_very_instant_is_in_time(
    connection: Connection, written: str, status: tuple[str, str, str]
) -> None:
    fold(connection, ASKED, REPLIED, (written, "buyer_message"))
    *_, before, last = statuses(connection)
    assert before == status
    assert last == (written.removesuffix(":00"), "open", "buyer_message")


def test_a_reply_at_the_very_instant_keeps_the_ticket_pending(connection: Connection) -> None:
    fold(connection, ASKED, REPLIED, ("2026-03-08 10:00", "reply"))
    assert statuses(connection)[:3] == [NEW, PENDING, ("2026-03-15 10:00", "solved", "auto_solve")]


def test_silence_while_we_wait_for_a_stakeholder_solves_nothing(connection: Connection) -> None:
    fold(connection, ASKED, REPLIED, ("2026-03-02 10:00", "hold"), ("2026-03-03 10:00", "reply"))
    assert statuses(connection) == [NEW, PENDING, ("2026-03-02 10:00", "on_hold", "hold")]


def test_a_ticket_can_fall_silent_again_after_it_was_reopened(connection: Connection) -> None:
    fold(connection, ASKED, REPLIED, ("2026-03-20 09:00", "buyer_message"), ("2026-03-20 11:00", "reply"))
    assert statuses(connection) == [
        NEW,
        PENDING,
        SILENT,
        ("2026-03-20 09:00", "open", "buyer_message"),
        ("2026-03-20 11:00", "pending", "reply"),
        ("2026-03-27 11:00", "solved", "auto_solve"),
        ("2026-04-24 11:00", "closed", "auto_close"),
    ]


def test_a_failed_delivery_after_the_silence_opens_the_ticket(connection: Connection) -> None:
    fold(connection, ASKED, REPLIED, ("2026-03-10 10:00", "delivery_failure", {"detail": {"reply": "e2"}}))
    assert statuses(connection) == [NEW, PENDING, SILENT, ("2026-03-10 10:00", "open", "delivery_failure")]


# ---------- 28 days solved


def test_the_28_days_count_from_entering_solved(connection: Connection) -> None:
    fold(connection, ASKED, ("2026-03-02 10:00", "solve"), ("2026-03-20 10:00", "solve"), ("2026-03-21 10:00", "reply"))
    assert statuses(connection) == [
        NEW,
        ("2026-03-02 10:00", "solved", "solve"),
        ("2026-03-30 10:00", "closed", "auto_close"),
    ]


def test_a_message_and_solving_at_one_instant_begin_the_28_days_anew(connection: Connection) -> None:
    """The buyer did write again, although the open period between lasted no time."""
    fold(
        connection,
        ASKED,
        ("2026-03-02 10:00", "solve"),
        ("2026-03-20 10:00", "buyer_message"),
        ("2026-03-20 10:00", "solve"),
    )
    assert statuses(connection) == [
        NEW,
        ("2026-03-02 10:00", "solved", "solve"),
        ("2026-04-17 10:00", "closed", "auto_close"),
    ]


@pytest.mark.parametrize(
    ("written", "ticket_id", "status"),
    [("2026-04-05 10:00", KEY, "open"), ("2026-04-05 10:00:01", f"{KEY}#2", "new")],
)
def test_a_message_at_the_instant_of_closing_is_in_time(
    connection: Connection, written: str, ticket_id: str, status: str
) -> None:
    fold(connection, ASKED, REPLIED, (written, "buyer_message"))
    assert statuses(connection, ticket_id)[-1] == (written, status, "buyer_message")


@pytest.mark.parametrize("kind", ["reply", "assign", "hold", "solve", "unread", "delivery_failure", "note"])
def test_on_a_closed_ticket_nothing_changes(connection: Connection, kind: str) -> None:
    fold(connection, ASKED, REPLIED)
    closed = statuses(connection)
    fold(connection, ASKED, REPLIED, ("2026-05-01 10:00", kind))
    assert statuses(connection) == closed
    assert connection.exec_driver_sql("select ticket_id, event_count from mart.ticket").all() == [(KEY, 3)]


def test_other_rules_of_the_policy_count(connection: Connection) -> None:
    record(connection, history(ASKED, REPLIED))
    tickets.fold(connection, Policy(solve_after_silence=timedelta(days=3), close_after_solved=timedelta(hours=12)))
    assert statuses(connection)[2:] == [
        ("2026-03-04 10:00", "solved", "auto_solve"),
        ("2026-03-04 22:00", "closed", "auto_close"),
    ]


def test_days_are_24_hours_in_every_time_zone(connection: Connection) -> None:
    connection.exec_driver_sql("set local time zone 'Europe/Berlin'")
    fold(connection, ("2026-03-25 08:00", "buyer_message"), ("2026-03-25 10:00", "reply"))
    until = connection.exec_driver_sql(
        "select from_at at time zone 'UTC' from mart.ticket_status where status = 'solved'"
    )
    assert f"{until.scalar_one():%Y-%m-%d %H:%M}" == "2026-04-01 10:00"
