"""The Amazon reply clock: 24 hours from the oldest unanswered buyer message, whatever the ticket's status."""

import pytest
from sqlalchemy import Connection
from ticket_histories import KEY, clocks, fold, history, moment, record

from amazon_support import tickets
from amazon_support.settings import Policy, ServiceLevels

MONDAY = "2026-03-02 08:00"
ASKED = (MONDAY, "buyer_message")


def test_a_message_starts_it_and_our_reply_stops_it(connection: Connection) -> None:
    fold(connection, ASKED, ("2026-03-02 12:00", "reply"))
    assert clocks(connection) == [(MONDAY, "2026-03-02 12:00", "reply")]


def test_it_is_due_after_24_hours_also_over_the_weekend(connection: Connection) -> None:
    fold(connection, ("2026-03-07 20:00", "buyer_message"))
    row = connection.exec_driver_sql(
        "select metric, cycle, warn_at, due_at from mart.sla_clock where metric = 'amazon_reply'"
    ).one()
    assert tuple(row) == ("amazon_reply", 1, moment("2026-03-08 16:00"), moment("2026-03-08 20:00"))


def test_it_counts_from_the_oldest_message_not_yet_answered(connection: Connection) -> None:
    fold(connection, ASKED, ("2026-03-02 10:00", "buyer_message"), ("2026-03-02 11:00", "reply"))
    assert clocks(connection) == [(MONDAY, "2026-03-02 11:00", "reply")]


def test_the_next_message_starts_the_next_cycle(connection: Connection) -> None:
    fold(
        connection,
        ASKED,
        ("2026-03-02 12:00", "reply"),
        ("2026-03-02 13:00", "reply"),
        ("2026-03-03 09:00", "buyer_message"),
    )
    assert clocks(connection) == [(MONDAY, "2026-03-02 12:00", "reply"), ("2026-03-03 09:00", None, None)]


def test_no_response_needed_stops_it(connection: Connection) -> None:
    fold(connection, ASKED, ("2026-03-02 12:00", "no_response_needed"), ("2026-03-03 09:00", "buyer_message"))
    assert clocks(connection) == [
        (MONDAY, "2026-03-02 12:00", "no_response_needed"),
        ("2026-03-03 09:00", None, None),
    ]


@pytest.mark.parametrize("kind", ["assign", "hold", "solve", "unread", "note", "notice"])
def test_nothing_else_stops_it(connection: Connection, kind: str) -> None:
    fold(connection, ASKED, ("2026-03-02 12:00", kind))
    assert clocks(connection) == [(MONDAY, None, None)]


def test_a_reply_after_solving_or_on_hold_stops_it(connection: Connection) -> None:
    fold(connection, ASKED, ("2026-03-02 12:00", "hold"), ("2026-03-02 13:00", "solve"), ("2026-03-02 14:00", "reply"))
    assert clocks(connection) == [(MONDAY, "2026-03-02 14:00", "reply")]


def test_an_automatic_reply_is_no_answer_and_an_automatic_message_no_question(connection: Connection) -> None:
    fold(
        connection,
        ("2026-03-02 07:00", "buyer_message", {"is_automatic": True}),
        ASKED,
        ("2026-03-02 08:01", "reply", {"is_automatic": True}),
    )
    assert clocks(connection) == [(MONDAY, None, None)]


@pytest.mark.parametrize(
    ("kind", "ticket_type"),
    [("notice", "return_request"), ("buyer_message", "system_message"), ("buyer_message", "system_qa")],
)
def test_what_cannot_be_replied_to_starts_no_clock(connection: Connection, kind: str, ticket_type: str) -> None:
    fold(connection, (MONDAY, kind, {"ticket_type": ticket_type}))
    assert clocks(connection) == []


def test_a_reply_that_answers_nothing_starts_and_stops_nothing(connection: Connection) -> None:
    fold(connection, ("2026-03-02 07:00", "reply"), ASKED)
    assert clocks(connection) == [(MONDAY, None, None)]


def test_a_message_that_arrives_after_its_answer_counts_as_if_in_time(connection: Connection) -> None:
    fold(connection, ("2026-03-02 12:00", "reply"))
    assert clocks(connection) == []
    record(connection, history((MONDAY, "buyer_message", {"source_id": "late"})))
    tickets.fold(connection, Policy())
    assert clocks(connection) == [(MONDAY, "2026-03-02 12:00", "reply")]


@pytest.mark.parametrize(
    ("asked", "replied", "expected"), [(0, 1, [(MONDAY, MONDAY, "reply")]), (1, 0, [(MONDAY, None, None)])]
)
def test_at_one_instant_the_source_order_says_which_came_first(
    connection: Connection, asked: int, replied: int, expected: list[tuple[str | None, ...]]
) -> None:
    fold(
        connection,
        (MONDAY, "buyer_message", {"source_order": asked}),
        (MONDAY, "reply", {"source_order": replied}),
    )
    assert clocks(connection) == expected


def test_targets_come_from_the_policy(connection: Connection) -> None:
    record(connection, history(ASKED))
    policy = {"metrics": {"amazon_reply": "12h"}, "warn_before": ["90m"]}
    tickets.fold(connection, Policy(), tickets.Promises(ServiceLevels(policies=[policy])))
    row = connection.exec_driver_sql("select warn_at, due_at from mart.sla_clock").one()
    assert tuple(row) == (moment("2026-03-02 18:30"), moment("2026-03-02 20:00"))


# ---------- replies that did not arrive


def test_it_runs_on_as_if_the_failed_reply_had_not_been(connection: Connection) -> None:
    fold(connection, ASKED, ("2026-03-02 10:00", "reply"), ("2026-03-02 10:05", "delivery_failure", FAILED["e2"]))
    assert clocks(connection) == [(MONDAY, None, None)]


FAILED = {reply: {"detail": {"reply": reply}} for reply in ("e1", "e2", "e3", "unknown")}


def test_another_reply_that_did_arrive_stops_it(connection: Connection) -> None:
    fold(
        connection,
        ASKED,
        ("2026-03-02 10:00", "reply"),
        ("2026-03-02 11:00", "reply"),
        ("2026-03-02 12:00", "delivery_failure", FAILED["e2"]),
    )
    assert clocks(connection) == [(MONDAY, "2026-03-02 11:00", "reply")]


def test_cycles_join_when_the_reply_between_them_failed(connection: Connection) -> None:
    fold(
        connection,
        ASKED,
        ("2026-03-02 10:00", "reply"),
        ("2026-03-02 11:00", "buyer_message"),
        ("2026-03-02 12:00", "delivery_failure", FAILED["e2"]),
        ("2026-03-02 13:00", "reply"),
    )
    assert clocks(connection) == [(MONDAY, "2026-03-02 13:00", "reply")]


def test_a_failure_that_names_no_reply_means_the_last_one_before_it(connection: Connection) -> None:
    fold(
        connection,
        ASKED,
        ("2026-03-02 10:00", "reply"),
        ("2026-03-02 11:00", "reply"),
        ("2026-03-02 12:00", "delivery_failure"),
        ("2026-03-02 13:00", "reply"),
    )
    assert clocks(connection) == [(MONDAY, "2026-03-02 10:00", "reply")]


def test_a_failure_of_a_reply_we_do_not_know_undoes_none(connection: Connection) -> None:
    fold(connection, ASKED, ("2026-03-02 10:00", "reply"), ("2026-03-02 12:00", "delivery_failure", FAILED["unknown"]))
    assert clocks(connection) == [(MONDAY, "2026-03-02 10:00", "reply")]


# ---------- closed tickets and follow-ups


def test_closing_stops_it_not_and_a_reply_still_does(connection: Connection) -> None:
    fold(connection, ASKED, ("2026-03-02 10:00", "close"), ("2026-03-02 11:00", "no_response_needed"))
    assert clocks(connection) == [(MONDAY, None, None)]
    fold(connection, ("2026-03-02 12:00", "reply", {"source_id": "e4"}))
    assert clocks(connection) == [(MONDAY, "2026-03-02 12:00", "reply")]


def test_a_follow_up_counts_its_own_cycles(connection: Connection) -> None:
    fold(
        connection,
        ASKED,
        ("2026-03-02 10:00", "solve"),
        ("2026-05-01 10:00", "buyer_message"),
        ("2026-05-01 11:00", "reply"),
    )
    assert clocks(connection) == [(MONDAY, None, None)]
    assert clocks(connection, f"{KEY}#2") == [("2026-05-01 10:00", "2026-05-01 11:00", "reply")]
    cycles = connection.exec_driver_sql("select cycle from mart.sla_clock where metric = 'amazon_reply'")
    assert cycles.scalars().all() == [1, 1]


def test_a_failure_after_closing_undoes_nothing(connection: Connection) -> None:
    fold(connection, ASKED, ("2026-03-02 10:00", "reply"), ("2026-05-01 10:00", "delivery_failure", FAILED["e2"]))
    assert clocks(connection) == [(MONDAY, "2026-03-02 10:00", "reply")]


def test_a_failure_in_the_follow_up_undoes_no_reply_of_the_closed_ticket(connection: Connection) -> None:
    fold(
        connection,
        ASKED,
        ("2026-03-02 10:00", "reply"),
        ("2026-05-01 10:00", "buyer_message"),
        ("2026-05-01 11:00", "delivery_failure", FAILED["e2"]),
    )
    assert clocks(connection) == [(MONDAY, "2026-03-02 10:00", "reply")]
    assert clocks(connection, f"{KEY}#2") == [("2026-05-01 10:00", None, None)]


# ---------- questions from before an account went live


GOES_LIVE = "2026-03-03 00:00"


def live_since(connection: Connection, when: str) -> None:
    connection.exec_driver_sql(
        "insert into core.account_start (account, live_since) values ('main', %s)", (moment(when),)
    )


@pytest.mark.parametrize("answer", ["reply", "no_response_needed"])
def test_who_asks_again_after_the_account_went_live_starts_a_cycle_of_their_own(
    connection: Connection, answer: str
) -> None:
    live_since(connection, GOES_LIVE)
    again, still = ("2026-03-03 09:00", "buyer_message"), ("2026-03-03 10:00", "buyer_message")
    fold(connection, ASKED, ("2026-03-02 20:00", "buyer_message"), again, still, ("2026-03-03 11:00", answer))
    assert clocks(connection) == [
        (MONDAY, "2026-03-03 11:00", answer),
        ("2026-03-03 09:00", "2026-03-03 11:00", answer),
    ]


def test_what_is_answered_before_the_account_goes_live_is_over(connection: Connection) -> None:
    live_since(connection, GOES_LIVE)
    fold(connection, ASKED, ("2026-03-02 12:00", "reply"), ("2026-03-03 09:00", "buyer_message"))
    assert clocks(connection) == [(MONDAY, "2026-03-02 12:00", "reply"), ("2026-03-03 09:00", None, None)]


def test_an_old_question_that_nobody_repeats_keeps_its_one_cycle(connection: Connection) -> None:
    live_since(connection, GOES_LIVE)
    fold(connection, ASKED, ("2026-03-03 09:00", "reply"), ("2026-03-03 10:00", "buyer_message"))
    assert clocks(connection) == [(MONDAY, "2026-03-03 09:00", "reply"), ("2026-03-03 10:00", None, None)]
