"""What a ticket is about, and the follow-up tickets that a buyer opens after it is closed."""

from typing import Any

import pytest
from sqlalchemy import Connection
from ticket_histories import KEY, fold, moment, statuses

CLOSED = [("2026-01-01 08:00", "buyer_message"), ("2026-01-01 10:00", "reply")]  # closes by itself in February


def ticket(connection: Connection, ticket_id: str = KEY) -> dict[str, Any]:
    row = connection.exec_driver_sql(
        "select * from mart.ticket where ticket_id = %(ticket_id)s", {"ticket_id": ticket_id}
    )
    return dict(row.mappings().one())


@pytest.mark.parametrize("kind", ["buyer_message", "notice"])
def test_writing_after_closing_opens_a_new_ticket_linked_to_the_old(connection: Connection, kind: str) -> None:
    fold(connection, *CLOSED, ("2026-03-01 08:00", kind))
    assert statuses(connection)[-1] == ("2026-02-05 10:00", "closed", "auto_close")
    assert statuses(connection, f"{KEY}#2") == [("2026-03-01 08:00", "new", kind)]
    assert ticket(connection, f"{KEY}#2")["follow_up_of"] == KEY
    assert ticket(connection)["follow_up_of"] is None


def test_a_follow_up_begins_with_a_clean_slate(connection: Connection) -> None:
    """That the closed ticket was assigned and answered makes the new one no less new."""
    fold(connection, *CLOSED, ("2026-03-01 08:00", "buyer_message"), ("2026-03-01 09:00", "buyer_message"))
    assert statuses(connection, f"{KEY}#2") == [("2026-03-01 08:00", "new", "buyer_message")]


def test_what_happened_while_closed_does_not_carry_over(connection: Connection) -> None:
    fold(connection, *CLOSED, ("2026-02-20 08:00", "hold"), ("2026-03-01 08:00", "buyer_message"))
    assert statuses(connection, f"{KEY}#2") == [("2026-03-01 08:00", "new", "buyer_message")]


def test_an_automatic_message_opens_no_follow_up(connection: Connection) -> None:
    fold(connection, *CLOSED, ("2026-03-01 08:00", "buyer_message", {"is_automatic": True}))
    assert connection.exec_driver_sql("select ticket_id from mart.ticket").scalars().all() == [KEY]


def test_follow_ups_follow_each_other(connection: Connection) -> None:
    fold(
        connection,
        *CLOSED,
        ("2026-03-01 08:00", "buyer_message"),
        ("2026-03-01 09:00", "solve"),
        ("2026-05-01 08:00", "buyer_message"),
    )
    third = ticket(connection, f"{KEY}#3")
    assert (third["generation"], third["follow_up_of"], third["event_count"]) == (3, f"{KEY}#2", 1)
    assert statuses(connection, f"{KEY}#3") == [("2026-05-01 08:00", "new", "buyer_message")]


def test_late_mail_that_kept_the_ticket_open_takes_the_follow_up_back(connection: Connection) -> None:
    fold(connection, *CLOSED, ("2026-03-01 08:00", "buyer_message"))
    fold(connection, *CLOSED, ("2026-03-01 08:00", "buyer_message"), ("2026-01-20 08:00", "buyer_message"))
    assert connection.exec_driver_sql("select ticket_id from mart.ticket").scalars().all() == [KEY]
    assert statuses(connection)[-1] == ("2026-01-20 08:00", "open", "buyer_message")


# ---------- what a ticket is about


def test_the_first_event_that_says_something_decides(connection: Connection) -> None:
    fold(
        connection,
        ("2026-03-01 08:00", "reply", {"marketplace": None}),
        ("2026-03-01 09:00", "notice", {"ticket_type": "return_request", "order_id": "302-1234567-1234567"}),
        ("2026-03-01 10:00", "buyer_message", {"order_id": "302-0000000-0000000", "buyer_ref": "b1", "case_id": "c1"}),
    )
    told = ticket(connection)
    assert told["ticket_type"] == "return_request"
    assert told["marketplace"] == "DE"
    assert (told["order_id"], told["buyer_ref"], told["case_id"]) == ("302-1234567-1234567", "b1", "c1")
    assert (told["created_at"], told["last_event_at"]) == (moment("2026-03-01 08:00"), moment("2026-03-01 10:00"))
    assert (told["generation"], told["event_count"]) == (1, 3)


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("buyer_message", None, "contact_buyer"),
        ("buyer_message", "product_question", "product_question"),
        ("reply", None, "other_query"),
        ("notice", "a_to_z_claim", "a_to_z_claim"),
    ],
)
def test_the_type_of_a_ticket(connection: Connection, kind: str, given: str | None, expected: str) -> None:
    fold(connection, ("2026-03-01 08:00", kind, {"ticket_type": given}))
    assert ticket(connection)["ticket_type"] == expected


def test_each_follow_up_is_about_what_its_own_events_say(connection: Connection) -> None:
    fold(
        connection,
        *CLOSED,
        ("2026-02-20 08:00", "note", {"order_id": "302-0000000-0000000"}),
        ("2026-03-01 08:00", "notice", {"ticket_type": "chargeback"}),
    )
    assert ticket(connection)["order_id"] is None, "a note on a closed ticket changed it"
    assert ticket(connection, f"{KEY}#2")["ticket_type"] == "chargeback"
