"""What agents change on a ticket beside its status: its type, its order, and that two tickets are one."""

import itertools
from typing import Any

import pytest
from sqlalchemy import Connection
from ticket_histories import KEY, POLICY, answers, event, fold, history, record, statuses

from amazon_support import tickets

ASKED = ("2026-03-01 08:00", "buyer_message")
ORDER, OTHER_ORDER = "302-1234567-1234567", "302-7654321-7654321"
CASE_KEY = "DE:case:9876543210"


def ticket(connection: Connection, columns: str, ticket_id: str = KEY) -> tuple[Any, ...]:
    row = connection.exec_driver_sql(f"select {columns} from mart.ticket where ticket_id = %s", (ticket_id,)).one()
    return tuple(row)


def refusals(connection: Connection) -> list[tuple[str, str]]:
    rows = connection.exec_driver_sql("select kind, reason from mart.ticket_refusal order by occurred_at, source_id")
    return [tuple(row) for row in rows]


# ---------- type


def change(when: str, ticket_type: str) -> tuple[Any, ...]:
    return (when, "change_type", {"ticket_type": ticket_type})


def test_an_agent_changes_the_type_and_the_last_word_counts(connection: Connection) -> None:
    fold(connection, ASKED, change("2026-03-01 09:00", "refund"), change("2026-03-01 10:00", "return_request"))
    assert ticket(connection, "ticket_type") == ("return_request",)
    assert refusals(connection) == []


@pytest.mark.parametrize("fixed", ["negative_feedback", "neutral_feedback", "system_message", "cancellation"])
def test_a_fixed_type_stays(connection: Connection, fixed: str) -> None:
    fold(connection, ("2026-03-01 08:00", "notice", {"ticket_type": fixed}), change("2026-03-01 09:00", "refund"))
    assert ticket(connection, "ticket_type") == (fixed,)
    assert refusals(connection) == [("change_type", "fixed_type")]


def test_a_fixed_type_that_an_agent_gave_stays_too(connection: Connection) -> None:
    fold(connection, ASKED, change("2026-03-01 09:00", "cancellation"), change("2026-03-01 10:00", "refund"))
    assert ticket(connection, "ticket_type") == ("cancellation",)
    assert refusals(connection) == [("change_type", "fixed_type")]


def test_a_type_that_there_is_not_is_refused(connection: Connection) -> None:
    fold(connection, ASKED, change("2026-03-01 09:00", "complaint"))
    assert ticket(connection, "ticket_type") == ("contact_buyer",)
    assert refusals(connection) == [("change_type", "unknown_type")]


# ---------- closed


@pytest.mark.parametrize(
    "kind",
    ["assign", "hold", "solve", "no_response_needed", "unread", "close", "change_type", "attach_order", "detach_order"],
)
@pytest.mark.parametrize("closed_by", ["close", "auto_close"])
def test_on_a_closed_ticket_nothing_can_be_changed(connection: Connection, kind: str, closed_by: str) -> None:
    close = ("2026-03-01 09:00", "close" if closed_by == "close" else "solve")
    fields = {"ticket_type": "refund", "order_id": OTHER_ORDER}
    fold(connection, ASKED, close, ("2026-05-01 09:00", kind, fields))
    assert statuses(connection)[-1][1:] == ("closed", closed_by)
    assert ticket(connection, "ticket_type, order_id") == ("contact_buyer", None)
    assert refusals(connection) == [(kind, "closed")]


def test_a_message_after_closing_opens_a_follow_up(connection: Connection) -> None:
    fold(connection, ASKED, ("2026-03-01 09:00", "close"), ("2026-03-01 10:00", "buyer_message"))
    assert ticket(connection, "follow_up_of", KEY + "#2") == (KEY,)
    assert [period[1] for period in statuses(connection, KEY + "#2")] == ["new"]


def test_what_was_refused_counts_after_all_when_late_mail_undoes_the_closing(connection: Connection) -> None:
    fold(connection, ASKED, ("2026-03-01 09:00", "solve"), ("2026-05-01 09:00", "hold"))
    assert refusals(connection) == [("hold", "closed")]
    record(connection, history(("2026-03-20 09:00", "buyer_message", {"source_id": "late"})))
    tickets.fold(connection, POLICY)
    assert refusals(connection) == []
    assert statuses(connection)[-1][1:] == ("on_hold", "hold")


# ---------- order


def attach(when: str, order_id: str, kind: str = "attach_order") -> tuple[Any, ...]:
    return (when, kind, {"order_id": order_id})


def detach(when: str, order_id: str) -> tuple[Any, ...]:
    return attach(when, order_id, "detach_order")


MAILED = ("2026-03-01 08:00", "buyer_message", {"order_id": ORDER, "detail": {"match": "recent"}})


@pytest.mark.parametrize(
    ("events", "order_id", "match"),
    [
        pytest.param([ASKED], None, "none", id="nobody told one"),
        pytest.param([MAILED], ORDER, "recent", id="as the mail says"),
        pytest.param([ASKED, attach("2026-03-01 09:00", ORDER)], ORDER, "manual", id="attached"),
        pytest.param([MAILED, attach("2026-03-01 09:00", OTHER_ORDER)], OTHER_ORDER, "manual", id="another"),
        pytest.param([MAILED, detach("2026-03-01 09:00", ORDER)], None, "none", id="detached"),
        pytest.param(
            [MAILED, detach("2026-03-01 09:00", ORDER), ("2026-03-02 08:00", *MAILED[1:])],
            None,
            "none",
            id="a wrong match is not made again",
        ),
        pytest.param(
            [MAILED, detach("2026-03-01 09:00", ORDER), attach("2026-03-01 10:00", ORDER)],
            ORDER,
            "manual",
            id="attached again",
        ),
        pytest.param(
            [MAILED, attach("2026-03-01 09:00", OTHER_ORDER), detach("2026-03-01 10:00", OTHER_ORDER)],
            ORDER,
            "recent",
            id="back to what the mail says",
        ),
    ],
)
def test_the_order_of_a_ticket(
    connection: Connection, events: list[tuple[Any, ...]], order_id: str | None, match: str
) -> None:
    fold(connection, *events)
    assert ticket(connection, "order_id, order_match") == (order_id, match)


# ---------- merging


def merge(key: str, into: str, kind: str = "merge", when: str = "2026-03-03 08:00") -> dict[str, Any]:
    return event(when, kind, key=key, detail={"into": into}, source_id=f"{kind} {key} {into}")


def two_conversations() -> list[dict[str, Any]]:
    by_case = [
        ("2026-03-01 08:00", "buyer_message", {"source_id": "c1"}),
        ("2026-03-02 08:00", "reply", {"source_id": "c2"}),
    ]
    by_order = [("2026-03-01 20:00", "buyer_message", {"source_id": "o1"})]
    return history(*by_case, key=CASE_KEY) + history(*by_order, key=KEY)


def folded(connection: Connection, events: list[dict[str, Any]]) -> list[str]:
    record(connection, events)
    tickets.fold(connection, POLICY)
    return list(connection.exec_driver_sql("select ticket_id from mart.ticket order by 1").scalars())


def test_two_conversations_become_the_ticket_of_the_older_one(connection: Connection) -> None:
    assert folded(connection, [*two_conversations(), merge(KEY, CASE_KEY)]) == [CASE_KEY]
    assert [(at, status) for at, status, _ in statuses(connection, CASE_KEY)[:2]] == [
        ("2026-03-01 08:00", "new"),
        ("2026-03-02 08:00", "pending"),
    ], "the reply answers the messages of both"
    merged = connection.exec_driver_sql("select ticket_key, into_key from mart.ticket_merged").one()
    assert tuple(merged) == (KEY, CASE_KEY)


@pytest.mark.parametrize("into", [KEY, CASE_KEY])
def test_it_does_not_matter_which_was_merged_into_which(connection: Connection, into: str) -> None:
    other = {KEY: CASE_KEY, CASE_KEY: KEY}[into]
    assert folded(connection, [*two_conversations(), merge(other, into)]) == [CASE_KEY]


def test_the_events_of_a_merged_key_are_found_by_the_ticket(connection: Connection) -> None:
    folded(connection, [*two_conversations(), merge(KEY, CASE_KEY)])
    found = connection.exec_driver_sql(
        "select source_id from mart.ticket_event where ticket_key = %s and kind <> 'merge' order by 1", (CASE_KEY,)
    )
    assert list(found.scalars()) == ["c1", "c2", "o1"]


def test_a_merge_can_be_taken_back(connection: Connection) -> None:
    folded(connection, [*two_conversations(), merge(KEY, CASE_KEY)])
    undone = merge(KEY, CASE_KEY, "unmerge", "2026-03-04 08:00")
    assert folded(connection, [undone]) == [CASE_KEY, KEY]
    assert connection.exec_driver_sql("select count(*) from mart.ticket_merged").scalar() == 0


def test_three_may_be_one(connection: Connection) -> None:
    third = "DE:buyer:0123456789abcdef"
    more = history(("2026-02-01 08:00", "buyer_message", {"source_id": "b1"}), key=third)
    events = [*two_conversations(), *more, merge(KEY, CASE_KEY), merge(CASE_KEY, third)]
    assert folded(connection, events) == [third]


def test_a_merge_into_nothing_changes_nothing(connection: Connection) -> None:
    assert folded(connection, [*two_conversations(), merge(KEY, "DE:case:none")]) == [CASE_KEY, KEY]


def test_merges_stay_within_an_account(connection: Connection) -> None:
    others = history(("2026-01-01 08:00", "buyer_message"), key=CASE_KEY, account="other")
    assert folded(connection, [*others, *two_conversations()[2:], merge(KEY, CASE_KEY)]) == [CASE_KEY, KEY]


def test_the_order_of_arrival_does_not_matter(connection: Connection) -> None:
    events = [*two_conversations(), merge(KEY, CASE_KEY)]
    found = set()
    for order in itertools.permutations(range(len(events))):
        with connection.begin_nested() as example:
            for number in order:
                record(connection, [events[number]])
                tickets.fold(connection, POLICY)
            found.add("\n".join(answers(connection)))
            example.rollback()
    assert len(found) == 1
