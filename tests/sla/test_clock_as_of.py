"""The state of a clock at an instant; exactly at the due instant nothing is late yet."""

from typing import Any

import pytest
from sqlalchemy import Connection
from ticket_histories import fold, moment

from amazon_support import tickets

ASKED = ("2026-03-02 08:00", "buyer_message")  # at risk from 2026-03-03 04:00, due 2026-03-03 08:00
HOUR = 3600


def state(connection: Connection, as_of: str) -> tuple[str, int]:
    [row] = reply_clocks(connection, as_of)
    return row["state"], row["seconds_left"]


def reply_clocks(connection: Connection, as_of: str) -> list[Any]:
    return [row for row in tickets.clock_as_of(connection, moment(as_of)) if row["metric"] == "amazon_reply"]


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        ("2026-03-02 08:00", ("running", 24 * HOUR)),
        ("2026-03-03 03:59:59", ("running", 4 * HOUR + 1)),
        ("2026-03-03 04:00", ("at_risk", 4 * HOUR)),
        ("2026-03-03 08:00", ("at_risk", 0)),
        ("2026-03-03 08:00:00.001", ("breached_open", -1)),
        ("2026-03-03 10:00", ("breached_open", -2 * HOUR)),
    ],
)
def test_a_clock_nobody_stopped(connection: Connection, as_of: str, expected: tuple[str, int]) -> None:
    fold(connection, ASKED)
    assert state(connection, as_of) == expected


@pytest.mark.parametrize(
    ("replied", "expected"),
    [
        ("2026-03-02 12:00", ("met", 20 * HOUR)),
        ("2026-03-03 08:00", ("met", 0)),
        ("2026-03-03 08:00:01", ("breached_met_late", -1)),
    ],
)
def test_a_stopped_clock_keeps_what_was_left(connection: Connection, replied: str, expected: tuple[str, int]) -> None:
    fold(connection, ASKED, (replied, "reply"))
    assert state(connection, "2026-03-20 08:00") == expected


def test_before_it_was_stopped_it_was_running(connection: Connection) -> None:
    fold(connection, ASKED, ("2026-03-02 12:00", "reply"))
    [before] = reply_clocks(connection, "2026-03-02 11:59")
    assert (before["state"], before["stopped_at"], before["stopped_by"]) == ("running", None, None)
    assert state(connection, "2026-03-02 12:00") == ("met", 20 * HOUR)


def test_cycles_that_start_later_do_not_exist_yet(connection: Connection) -> None:
    fold(connection, ASKED, ("2026-03-02 12:00", "reply"), ("2026-03-05 12:00", "buyer_message"))
    assert reply_clocks(connection, "2026-03-02 07:59") == []
    assert [c["cycle"] for c in reply_clocks(connection, "2026-03-05 11:59")] == [1]
    assert [c["cycle"] for c in reply_clocks(connection, "2026-03-05 12:00")] == [1, 2]
