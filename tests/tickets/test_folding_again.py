"""Folding is a function of the recorded events: not of their arrival, of repetition, or of who folds when."""

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from landing import wait_until_somebody_waits
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError
from ticket_histories import KEY, POLICY, answers, event, fold, history, moment, record, statuses

from amazon_support import tickets

STORY = history(
    ("2026-01-01 08:00", "buyer_message"),
    ("2026-01-01 10:00", "reply"),
    ("2026-01-05 08:00", "buyer_message"),
    ("2026-01-05 09:00", "reply"),
    ("2026-01-05 09:30", "delivery_failure", {"detail": {"reply": "e4"}}),
    ("2026-01-05 10:00", "reply"),
    ("2026-02-20 10:00", "assign"),
    ("2026-03-01 08:00", "buyer_message"),
    ("2026-03-01 08:00", "reply", {"source_order": 1}),
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrival=st.permutations(STORY), portions=st.integers(1, len(STORY)))
def test_arriving_in_any_order_gives_what_a_full_rebuild_gives(
    connection: Connection, arrival: list[dict[str, object]], portions: int
) -> None:
    with connection.begin_nested() as example:
        for start in range(portions):
            record(connection, arrival[start::portions])
            tickets.fold(connection, POLICY)
        step_by_step = answers(connection)
        tickets.fold_all(connection, POLICY)
        assert step_by_step == answers(connection)
        assert statuses(connection, f"{KEY}#2")[0] == ("2026-03-01 08:00", "pending", "reply")
        example.rollback()


def test_a_duplicate_changes_nothing(connection: Connection) -> None:
    record(connection, STORY)
    tickets.fold(connection, POLICY)
    once = answers(connection)
    record(connection, [{**told, "occurred_at": "2026-01-03T00:00:00Z", "kind": "hold"} for told in STORY])
    tickets.fold(connection, POLICY)
    assert answers(connection) == once


def test_only_touched_tickets_are_folded(connection: Connection) -> None:
    record(connection, STORY)
    assert tickets.fold(connection, POLICY) == tickets.FoldCounts(touched=1, tickets=2, periods=11, clocks=6)
    assert tickets.fold(connection, POLICY) == tickets.FoldCounts(0, 0, 0, 0)

    other = "DE:order:302-7654321-7654321"
    record(connection, history(("2026-01-01 08:00", "buyer_message", {"source_id": "other"}), key=other))
    assert tickets.fold(connection, POLICY) == tickets.FoldCounts(touched=1, tickets=1, periods=1, clocks=2)
    assert tickets.fold_all(connection, POLICY).touched == 2


def test_a_rebuild_leaves_every_index_as_it_was(connection: Connection) -> None:
    indexes = "select indexname, indexdef from pg_indexes where schemaname = 'mart' order by 1"
    before = connection.exec_driver_sql(indexes).all()
    record(connection, STORY)
    tickets.fold_all(connection, POLICY)
    assert connection.exec_driver_sql(indexes).all() == before
    with pytest.raises(IntegrityError):
        connection.exec_driver_sql("insert into mart.ticket select * from mart.ticket")


def test_a_fold_of_most_tickets_rebuilds_only_if_it_is_all_of_them(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[tickets.fold.__module__], "REBUILD_FROM", 2)
    other, third = history(("2026-01-01 08:00", "buyer_message", {"source_id": "b"}), key="DE:order:b"), "DE:order:c"
    record(connection, STORY + other)
    tickets.fold(connection, POLICY)
    record(connection, history(("2026-01-01 08:00", "buyer_message", {"source_id": "c"}), key=third))
    record(connection, history(("2026-01-02 08:00", "reply", {"source_id": "b2"}), key="DE:order:b"))
    tickets.fold(connection, POLICY)
    assert connection.exec_driver_sql("select count(*) from mart.ticket").scalar() == 4, (
        "the story's two are still there"
    )


def test_tickets_of_one_key_in_two_accounts_are_two_tickets(connection: Connection) -> None:
    record(connection, history(("2026-03-01 08:00", "buyer_message"), account="main"))
    record(connection, history(("2026-03-02 08:00", "reply"), account="second"))
    tickets.fold(connection, POLICY)
    rows = connection.exec_driver_sql("select account, status from mart.ticket_status where until_at < 'infinity'")
    assert ("second", "pending") in rows.all()
    assert connection.exec_driver_sql("select count(*) from mart.ticket").scalar_one() == 2


def test_a_fold_that_is_rolled_back_leaves_the_tickets_touched(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        record(connection, STORY)
    with pytest.raises(ZeroDivisionError), warehouse.begin() as connection:
        tickets.fold(connection, POLICY)
        raise ZeroDivisionError
    with warehouse.begin() as connection:
        assert answers(connection) == []
        assert tickets.fold(connection, POLICY).touched == 1


def test_an_event_that_arrives_during_a_fold_is_not_lost(warehouse: Engine) -> None:
    """The ticket is touched already when a writer, not yet committed, adds to it: the fold waits for the writer."""
    with warehouse.begin() as connection:
        record(connection, STORY)

    def fold_beside() -> None:
        with warehouse.begin() as beside:
            tickets.fold(beside, POLICY)

    with ThreadPoolExecutor(1) as others:
        with warehouse.begin() as writer:
            record(writer, [event("2026-03-02 08:00", "hold", source_id="late")])
            folding = others.submit(fold_beside)
            wait_until_somebody_waits(warehouse)
        folding.result(timeout=30)
    with warehouse.begin() as connection:
        assert statuses(connection, f"{KEY}#2")[-1] == ("2026-03-02 08:00", "on_hold", "hold")


# ---------- as of an instant


def test_the_status_as_of_an_instant_is_a_look_up(connection: Connection) -> None:
    fold(connection, ("2026-03-01 08:00", "buyer_message"), ("2026-03-01 10:00", "reply"))

    def status(as_of: str) -> list[tuple[object, ...]]:
        rows = tickets.status_as_of(connection, moment(as_of))
        return [(row["status"], row["status_since"], row["status_until"], row["cause"]) for row in rows]

    asked, replied = moment("2026-03-01 08:00"), moment("2026-03-01 10:00")
    solved = replied + timedelta(days=7)
    assert status("2026-03-01 07:59") == []
    assert status("2026-03-01 08:00") == [("new", asked, replied, "buyer_message")]
    assert status("2026-03-01 10:00") == [("pending", replied, solved, "reply")]
    assert status("2026-03-08 09:59") == [("pending", replied, solved, "reply")]
    assert status("2026-03-08 10:00") == [("solved", solved, solved + timedelta(days=28), "auto_solve")]
    assert status("2027-01-01 00:00") == [("closed", solved + timedelta(days=28), None, "auto_close")]


def test_an_instant_without_a_time_zone_is_refused(connection: Connection) -> None:
    with pytest.raises(ValueError, match="time zone"):
        tickets.status_as_of(connection, moment("2026-03-01 08:00").replace(tzinfo=None))
