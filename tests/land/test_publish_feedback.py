"""Checked feedback reports become facts: what stands, what became of it, and what tickets are told of it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from feedback_rows import DAY, EMAIL, RATED_ON, SETTINGS, land_report, line, publish, report
from landing import (
    NOON,
    ORDER,
    everything_in,
    land_some_mail,
    land_some_orders,
    let_pass,
    mail,
    order,
    order_id,
    rows,
)
from sqlalchemy import Connection
from ticket_histories import POLICY

from amazon_support import tickets
from amazon_support.warehouse import land
from amazon_support.warehouse.land.batches import BadLine

TICKET = f"DE:order:{ORDER}"
END_OF_DAY = datetime(2026, 3, 1, 23, tzinfo=UTC)  # in Germany


def history(connection: Connection) -> list[tuple[Any, ...]]:
    """(days after NOON, kind, rating, rating before) of each change."""
    found = rows(
        connection, "select seen_at, kind, rating, rating_before from core.feedback_change order by seen_at, kind"
    )
    return [((seen_at - NOON) / DAY, *rest) for seen_at, *rest in found]


def standing(connection: Connection) -> list[str]:
    found = rows(connection, "select order_id from core.feedback where removed_at is null order by 1")
    return [each for (each,) in found]


def events(connection: Connection, columns: str = "kind, detail ->> 'feedback'") -> list[tuple[Any, ...]]:
    return rows(
        connection,
        f"select {columns} from core.ticket_event where source = 'feedback' order by occurred_at, source_id",
    )


def publish_mail(connection: Connection, **meaning: Any) -> None:
    at = meaning.pop("at", END_OF_DAY - timedelta(hours=9))
    land_some_mail(connection, mail("notice", "feedback_notice", at, order_ids=[ORDER], **meaning))
    let_pass(connection)
    land.publish_mail(connection, SETTINGS)


# ---------- what stands


def test_feedback_becomes_a_fact_with_its_words_apart(connection: Connection) -> None:
    report(connection, line(response="Tut uns leid."))
    assert rows(
        connection,
        "select account, order_id, marketplace, rating, rated_on, given_by, first_seen_at, changed_at, removed_at, "
        "has_response, response_seen_at, known_at from core.feedback",
    ) == [("main", ORDER, "DE", 1, RATED_ON, END_OF_DAY, NOON, None, None, True, NOON, NOON)]
    assert rows(connection, "select * from pii.feedback") == [("main", ORDER, "Kam zu spät.", "Tut uns leid.", EMAIL)]
    outside = everything_in(connection, "raw", "core", "ops", "mart")
    for private in ("spät", "leid", EMAIL):
        assert private not in outside


def test_what_has_not_changed_leaves_no_trace(connection: Connection) -> None:
    report(connection, line())
    connection.exec_driver_sql("delete from ops.ticket_touched")
    connection.exec_driver_sql("delete from pii.feedback")  # forgotten
    report(connection, line(line_number=9), days=1)
    assert history(connection) == [(0, "appeared", 1, None)]
    assert rows(connection, "select changed_at, known_at from core.feedback") == [(None, NOON + DAY)]
    assert rows(connection, "select * from ops.ticket_touched") == []
    assert rows(connection, "select * from pii.feedback") == []


def test_an_edit_is_seen_in_rating_or_words(connection: Connection) -> None:
    report(connection, line(rating=1, comments="Schlecht."))
    report(connection, line(rating=3, comments="Schlecht."), days=1)
    report(connection, line(rating=3, comments="Geht so."), days=2)
    assert history(connection) == [(0, "appeared", 1, None), (1, "edited", 3, 1), (2, "edited", 3, 3)]
    assert rows(connection, "select rating, changed_at, first_seen_at from core.feedback") == [
        (3, NOON + 2 * DAY, NOON)
    ]
    assert rows(connection, "select comments from pii.feedback") == [("Geht so.",)]


def test_another_day_alone_is_no_edit(connection: Connection) -> None:
    report(connection, line())
    report(connection, line(rated_on=RATED_ON + DAY), days=1)
    assert history(connection) == [(0, "appeared", 1, None)]
    assert rows(connection, "select rated_on, given_by from core.feedback") == [(RATED_ON + DAY, END_OF_DAY + DAY)]


def test_an_answer_is_seen_and_so_is_another_one(connection: Connection) -> None:
    report(connection, line())
    report(connection, line(response="Pardon."), days=1)
    report(connection, line(response="Pardon!"), days=2)
    report(connection, line(rating=2, response=""), days=3)
    assert history(connection) == [
        (0, "appeared", 1, None),
        (1, "answered", 1, 1),
        (2, "answered", 1, 1),
        (3, "edited", 2, 1),
    ]
    assert rows(connection, "select has_response, response_seen_at from core.feedback") == [(False, None)]


def test_edited_and_answered_at_once_is_both(connection: Connection) -> None:
    report(connection, line())
    report(connection, line(rating=2, response="Danke."), days=1)
    assert history(connection)[1:] == [(1, "answered", 2, 1), (1, "edited", 2, 1)]
    assert rows(connection, "select comments, response from pii.feedback") == [("Kam zu spät.", "Danke.")]


def test_accounts_do_not_mix(connection: Connection) -> None:
    report(connection, line())
    report(connection, account="other")
    report(connection, line(rating=2), account="other", days=1)
    assert rows(connection, "select account, rating, removed_at from core.feedback order by 1") == [
        ("main", 1, None),
        ("other", 2, None),
    ]


# ---------- what is missing


def test_what_a_report_lacks_is_removed(connection: Connection) -> None:
    report(connection, line(), line(order_id(2), line_number=3))
    report(connection, line(order_id(2)), days=1)
    assert history(connection)[2:] == [(1, "removed", 1, 1)]
    assert rows(connection, "select order_id, removed_at from core.feedback order by 1") == [
        (order_id(2), None),
        (ORDER, NOON + DAY),
    ]


def test_a_report_of_a_heading_alone_removes_everything(connection: Connection) -> None:
    report(connection, line(), line(order_id(2), line_number=3))
    report(connection, days=1)
    assert standing(connection) == []


@pytest.mark.parametrize(
    ("rated_on", "is_removed"),
    [
        (date(2025, 12, 11), False),  # before the span
        (date(2025, 12, 12), False),  # maybe before the span
        (date(2025, 12, 13), True),
        (date(2026, 3, 9), True),
        (date(2026, 3, 10), False),  # maybe after the span
    ],
)
def test_only_what_is_safely_inside_the_span_can_be_missing(
    connection: Connection, rated_on: date, is_removed: bool
) -> None:
    report(connection, line(rated_on=rated_on))
    report(connection, days=1)  # from 2025-12-11 on
    assert (standing(connection) == []) == is_removed


def test_another_marketplaces_report_says_nothing(connection: Connection) -> None:
    report(connection, line())
    report(connection, marketplace="FR", days=1)
    assert standing(connection) == [ORDER]


def test_a_quarantined_line_is_not_missing(connection: Connection) -> None:
    report(connection, line())
    batch_id = land_report(connection, line(rating=9), seen_at=NOON + DAY)
    connection.exec_driver_sql(
        f"insert into ops.quarantine (account, dataset, batch_id, row_key, rule) "
        f"values ('main', 'feedback', {batch_id}, 'line 2', 'rating_valid')"
    )
    publish(connection)
    assert history(connection) == [(0, "appeared", 1, None)]
    assert rows(connection, "select rating from core.feedback") == [(1,)]


def test_a_line_that_could_not_be_read_is_not_missing(connection: Connection) -> None:
    report(connection, line(), line(order_id(2), line_number=3))
    bad = BadLine(2, "date: not written d.m.y", f"soon\t1\tKam zu spät.\t\t{ORDER}\t{EMAIL}")
    report(connection, bad_lines=(bad,), days=1)
    assert standing(connection) == [ORDER]
    assert rows(connection, "select row_key, rule, reason from ops.quarantine") == [
        ("line 2", "line_readable", "date: not written d.m.y")
    ]
    assert EMAIL not in everything_in(connection, "ops", "raw")


@pytest.mark.parametrize("content", ["half a line", f"{order_id(8)}\t{order_id(9)}"])
def test_a_bad_line_of_an_unknown_order_leaves_everything_standing(connection: Connection, content: str) -> None:
    report(connection, line())
    report(connection, bad_lines=(BadLine(2, "too short", content),), days=1)
    assert standing(connection) == [ORDER]
    report(connection, days=2)
    assert standing(connection) == []


def test_what_comes_back_has_reappeared(connection: Connection) -> None:
    report(connection, line(rating=2))
    report(connection, days=1)
    report(connection, line(rating=1), days=2)
    assert history(connection) == [(0, "appeared", 2, None), (1, "removed", 2, 2), (2, "reappeared", 1, None)]
    assert rows(connection, "select removed_at, first_seen_at, changed_at from core.feedback") == [
        (None, NOON, NOON + 2 * DAY)
    ]


# ---------- reports in any order


def test_an_older_report_published_later_changes_nothing_newer(connection: Connection) -> None:
    report(connection, line(rating=3, comments="Besser."), days=2)
    report(connection, line(rating=1), days=1)
    report(connection, days=1.5)
    assert history(connection) == [(2, "appeared", 3, None)]
    assert rows(connection, "select comments from pii.feedback") == [("Besser.",)]
    assert standing(connection) == [ORDER]


def test_an_older_report_does_not_bring_back_what_is_removed(connection: Connection) -> None:
    report(connection, line())
    report(connection, days=2)
    report(connection, line(), days=1)
    assert standing(connection) == []


def test_what_only_an_older_report_shows_was_removed_by_the_newer_one(connection: Connection) -> None:
    report(connection, days=2)
    report(connection, days=3)
    report(connection, line())
    assert history(connection) == [(0, "appeared", 1, None), (2, "removed", 1, 1)]
    assert standing(connection) == []
    assert events(connection) == [("notice", "appeared"), ("note", "removed")]


def test_a_report_that_was_rejected_is_no_proof(connection: Connection) -> None:
    land_report(connection, seen_at=NOON + 2 * DAY)
    let_pass(connection)
    connection.exec_driver_sql("update ops.batch set rejected_because = 'for the test'")
    report(connection, line())
    assert standing(connection) == [ORDER]


def test_reports_published_together_tell_the_same_as_one_after_the_other(connection: Connection) -> None:
    land_report(connection, line(rating=1), seen_at=NOON + 3 * DAY)
    land_report(connection, seen_at=NOON + 2 * DAY)
    land_report(connection, line(rating=2), seen_at=NOON)
    land_report(connection, line(order_id(2)), seen_at=NOON, marketplace="FR")
    assert publish(connection) == 4
    assert history(connection) == [
        (0, "appeared", 1, None),
        (0, "appeared", 2, None),
        (2, "removed", 2, 2),
        (3, "reappeared", 1, None),
    ]
    assert standing(connection) == [order_id(2), ORDER]
    assert rows(connection, "select comments from pii.feedback") == [("Kam zu spät.",)] * 2


def test_the_same_report_landed_twice_changes_nothing(connection: Connection) -> None:
    report(connection, line(), line(order_id(2), line_number=3))
    before = everything_in(connection, "core")
    report(connection, line(order_id(2)), line(line_number=3))
    after = everything_in(connection, "core")
    assert history(connection) == [(0, "appeared", 1, None)] * 2
    assert before.count("appeared") == after.count("appeared")
    assert publish(connection) == 0


def test_feedback_in_the_reports_of_two_marketplaces_is_one(connection: Connection) -> None:
    for day in range(3):
        land_report(connection, line(), seen_at=NOON + day * DAY)
        land_report(connection, line(), seen_at=NOON + day * DAY, marketplace="FR")
        publish(connection)
    assert history(connection) == [(0, "appeared", 1, None)]
    assert len(events(connection)) == 1


def test_of_two_lines_about_one_order_the_later_day_counts(connection: Connection) -> None:
    report(connection, line(rating=1, rated_on=RATED_ON + DAY), line(rating=3, line_number=3))
    assert rows(connection, "select rating from core.feedback") == [(1,)]


# ---------- tickets


@pytest.mark.parametrize(
    ("rating", "ticket_type"), [(1, "negative_feedback"), (2, "negative_feedback"), (3, "neutral_feedback")]
)
def test_new_feedback_opens_a_ticket(connection: Connection, rating: int, ticket_type: str) -> None:
    report(connection, line(rating=rating))
    assert events(
        connection, "source_id, ticket_key, marketplace, kind, ticket_type, actor, order_id, occurred_at, detail"
    ) == [
        (f"{ORDER}:appeared", TICKET, "DE", "notice", ticket_type, "amazon", ORDER, END_OF_DAY)
        + ({"feedback": "appeared", "rating": rating},)
    ]
    tickets.fold(connection, POLICY)
    assert rows(connection, "select ticket_id, ticket_type, created_at from mart.ticket") == [
        (TICKET, ticket_type, END_OF_DAY)
    ]
    assert rows(connection, "select status from mart.ticket_status") == [("new",)]
    assert rows(connection, "select * from mart.sla_clock") == []


def test_good_feedback_is_no_ticket_until_it_is_bad(connection: Connection) -> None:
    report(connection, line(rating=5))
    assert events(connection) == []
    report(connection, line(rating=2), days=1)
    assert events(connection, "kind, ticket_type, occurred_at, detail ->> 'rating_before'") == [
        ("notice", "negative_feedback", NOON + DAY, "5")
    ]


def test_feedback_of_the_day_was_given_by_the_end_of_the_span(connection: Connection) -> None:
    report(connection, line(rated_on=NOON.date()))
    assert events(connection, "occurred_at") == [(NOON,)]


def test_when_feedback_was_given_does_not_depend_on_when_it_was_pulled(connection: Connection) -> None:
    report(connection, line(), days=30)
    assert events(connection, "occurred_at") == [(END_OF_DAY,)]


def test_feedback_joins_the_orders_ticket(connection: Connection) -> None:
    land_some_mail(connection, mail("question", order_ids=[ORDER], at=END_OF_DAY - 3 * DAY, marketplace=None))
    let_pass(connection)
    land.publish_mail(connection, SETTINGS)
    report(connection, line())
    assert events(connection, "ticket_key") == [(f"-:order:{ORDER}",)]


def test_the_ticket_is_of_the_marketplace_that_the_order_names(connection: Connection) -> None:
    land_some_orders(connection, order())
    let_pass(connection)
    land.publish_orders(connection, SETTINGS)
    report(connection, line(), marketplace="FR")
    assert events(connection, "ticket_key, marketplace") == [(TICKET, "DE")]


def test_an_unknown_order_waits_as_a_placeholder(connection: Connection) -> None:
    report(connection, line())
    assert rows(connection, "select order_id, region, marketplace, is_placeholder from core.amazon_order") == [
        (ORDER, "eu", "DE", True)
    ]


def test_what_becomes_of_feedback_is_noted_and_moves_nothing(connection: Connection) -> None:
    report(connection, line(rating=1))
    tickets.fold(connection, POLICY)
    before = rows(connection, "select status, from_at, cause from mart.ticket_status")
    report(connection, line(rating=3, response="Pardon."), days=1)
    report(connection, days=2)
    assert events(connection, "kind, actor, detail ->> 'feedback', ticket_type, occurred_at") == [
        ("notice", "amazon", "appeared", "negative_feedback", END_OF_DAY),
        ("note", "seller", "answered", None, NOON + DAY),
        ("note", "amazon", "edited", None, NOON + DAY),
        ("note", "amazon", "removed", None, NOON + 2 * DAY),
    ]
    tickets.fold(connection, POLICY)
    assert rows(connection, "select status, from_at, cause from mart.ticket_status") == before
    assert rows(connection, "select event_count from mart.ticket") == [(4,)]


def test_feedback_that_counts_again_opens_its_ticket_again(connection: Connection) -> None:
    report(connection, line())
    connection.exec_driver_sql(
        "insert into core.ticket_event (account, source, source_id, ticket_key, kind, occurred_at, actor) "
        f"values ('main', 'agent', '1', '{TICKET}', 'solve', '2026-03-11T13:00:00Z', 'agent')"
    )
    report(connection, days=1)
    report(connection, line(), days=2)
    tickets.fold(connection, POLICY)
    assert rows(connection, "select status, from_at, cause from mart.ticket_status order by from_at") == [
        ("new", END_OF_DAY, "notice"),
        ("solved", NOON + DAY + timedelta(hours=1), "solve"),
        ("open", NOON + 2 * DAY, "notice"),
    ]


@pytest.mark.parametrize("mail_comes_first", [True, False])
def test_a_mail_about_the_same_rating_and_the_report_are_one_notice(
    connection: Connection, mail_comes_first: bool
) -> None:
    if mail_comes_first:
        publish_mail(connection, rating=1)
    report(connection, line(rating=1))
    if not mail_comes_first:
        publish_mail(connection, rating=1)
    told = "select source, kind from core.ticket_event order by source"
    expected = ["note", "notice"] if mail_comes_first else ["notice", "note"]
    assert rows(connection, told) == list(zip(("feedback", "mail"), expected, strict=True))
    tickets.fold(connection, POLICY)
    assert rows(connection, "select ticket_id, ticket_type, event_count from mart.ticket") == [
        (TICKET, "negative_feedback", 2)
    ]
    assert [status for (status,) in rows(connection, "select status from mart.ticket_status")] == ["new"]


def test_a_mail_about_another_rating_is_another_notice(connection: Connection) -> None:
    publish_mail(connection, rating=2)
    report(connection, line(rating=1))
    assert events(connection) == [("notice", "appeared")]


def test_a_mail_does_not_silence_feedback_that_reappears(connection: Connection) -> None:
    publish_mail(connection, rating=1)
    report(connection, line())
    report(connection, days=1)
    report(connection, line(), days=2)
    assert events(connection) == [("note", "appeared"), ("note", "removed"), ("notice", "reappeared")]


# ---------- what came before


def test_feedback_has_the_context_of_its_order(connection: Connection) -> None:
    late = {
        "fulfillmentStatus": "SHIPPED",
        "fulfilledBy": "MERCHANT",
        "shipByWindow": {"latestDateTime": "2026-02-20T22:59:59Z"},
    }
    land_some_orders(connection, order(fulfillment=late, packages=[{"shipTime": "2026-02-22T10:00:00Z"}]))
    land_some_mail(
        connection,
        mail("question", order_ids=[ORDER], at=END_OF_DAY - 3 * DAY),
        mail("refund", "refund_notice", order_ids=[ORDER], at=END_OF_DAY - DAY),
        mail("notice", "feedback_notice", order_ids=[ORDER], at=END_OF_DAY - 5 * DAY, rating=1),
    )
    let_pass(connection)
    land.publish_orders(connection, SETTINGS)
    land.publish_mail(connection, SETTINGS)
    report(connection, line())
    assert rows(
        connection,
        "select stands, fulfilled_by, had_ticket_before, first_asked_at, was_shipped_late, was_refunded_before "
        "from mart.feedback",
    ) == [(True, "MERCHANT", True, END_OF_DAY - 3 * DAY, True, True)]


def test_what_came_after_the_feedback_is_no_cause_of_it(connection: Connection) -> None:
    land_some_mail(
        connection,
        mail("question", order_ids=[ORDER], at=END_OF_DAY + DAY),
        mail("refund", "refund_notice", order_ids=[ORDER], at=END_OF_DAY + DAY),
        mail("notice", "feedback_notice", order_ids=[ORDER], at=END_OF_DAY - 5 * DAY, rating=1),
    )
    let_pass(connection)
    land.publish_mail(connection, SETTINGS)
    report(connection, line())
    report(connection, days=1)
    assert rows(
        connection,
        "select stands, had_ticket_before, was_shipped_late, was_refunded_before, refund_noticed_at from mart.feedback",
    ) == [(False, False, None, False, END_OF_DAY + DAY)]


@pytest.mark.parametrize(
    ("fulfillment", "packages", "expected"),
    [
        ({"fulfilledBy": "MERCHANT"}, [], None),
        ({"fulfilledBy": "AMAZON", "shipByWindow": {"latestDateTime": "2026-02-20T00:00:00Z"}}, [], None),
        ({"fulfilledBy": "MERCHANT", "shipByWindow": {"latestDateTime": "2026-02-20T00:00:00Z"}}, [], True),
        ({"fulfilledBy": "MERCHANT", "shipByWindow": {"latestDateTime": "2026-03-20T00:00:00Z"}}, [], False),
        (
            {"fulfilledBy": "MERCHANT", "shipByWindow": {"latestDateTime": "2026-02-20T00:00:00Z"}},
            [{"shipTime": "2026-02-19T10:00:00Z"}],
            False,
        ),
    ],
    ids=["not known", "Amazon ships", "not sent in time", "time left", "sent in time"],
)
def test_whether_an_order_was_shipped_late(
    connection: Connection, fulfillment: dict[str, Any], packages: list[dict[str, str]], expected: bool | None
) -> None:
    land_some_orders(connection, order(fulfillment=fulfillment, packages=packages))
    let_pass(connection)
    land.publish_orders(connection, SETTINGS)
    report(connection, line())
    assert rows(connection, "select was_shipped_late from mart.feedback") == [(expected,)]
