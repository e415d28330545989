"""Checked exports become ticket events: once, on the right ticket, the words apart, what is wrong set aside; and
requests for reviews, of orders."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from desk_exports import NOTED, REVIEW, SOLVED, as_csv, desk_settings, read
from landing import (
    ALIAS,
    BUYER_KEY,
    NOON,
    ORDER,
    everything_in,
    land_some_mail,
    let_pass,
    mail,
    order_id,
    rows,
)
from sqlalchemy import Connection, Engine
from ticket_histories import POLICY, clocks, statuses

from amazon_support import quality, tickets
from amazon_support.settings import Settings
from amazon_support.warehouse import land

TICKET = f"DE:order:{ORDER}"
MINUTE = timedelta(minutes=1)
ASKED = NOON - timedelta(hours=2)


def ask(connection: Connection, *names: str, at: datetime = ASKED, **meaning: Any) -> None:
    """A buyer writes; by default about the order."""
    told = {"order_ids": [ORDER], "buyer_alias": ALIAS, **meaning}
    land_some_mail(connection, *(mail(name, at=at, **told) for name in names or ("question",)))
    let_pass(connection)
    land.publish_mail(connection, desk_settings())


def bring(connection: Connection, *actions: dict[str, str], desk: str = "bqool", given: Settings | None = None) -> int:
    parsed = read(as_csv(*actions), given)
    return land.land_desk_actions(
        connection, account="main", desk=desk, read_at=NOON, rows=parsed.rows, bad_lines=parsed.bad_lines
    )


def publish(connection: Connection, *actions: dict[str, str], **how: Any) -> None:
    bring(connection, *actions, **how)
    let_pass(connection)
    land.publish_desk_actions(connection, desk_settings())


def events(connection: Connection, columns: str = "kind, actor") -> list[tuple[Any, ...]]:
    return rows(
        connection,
        f"select {columns} from core.ticket_event where source like 'desk:%' order by occurred_at, source_id",
    )


def set_aside(connection: Connection) -> list[tuple[Any, ...]]:
    return rows(connection, "select row_key, rule, reason from ops.quarantine order by batch_id, row_key")


def at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


# ---------- what becomes of an action


def test_an_action_is_an_event_of_its_ticket(connection: Connection) -> None:
    ask(connection)
    publish(connection, {**SOLVED, "Ticket Status": "", "Activity ID": "77"})
    assert events(connection, "account, source, source_id, ticket_key, kind, occurred_at, actor, detail") == [
        ("main", "desk:bqool", "77", TICKET, "solve", datetime(2026, 3, 10, 11, 30, tzinfo=UTC), "Ana Lima", {})
    ]
    tickets.fold(connection, POLICY)
    assert statuses(connection, TICKET)[:2] == [
        ("2026-03-10 10:00", "new", "buyer_message"),
        ("2026-03-10 11:30", "solved", "solve"),
    ]


def test_every_kind_of_action_moves_the_ticket(connection: Connection) -> None:
    ask(connection)
    done = [
        {"Action": "Assigned", "Assigned To": "bo@shop.example"},
        {"Action": "On Hold", "Waiting For": "carrier"},
        {"Action": "Mark unread"},
        {"Action": "Status", "Ticket Status": "Pending"},
        {"Action": "Note", "Note": "wait"},
        {"Action": "No response needed"},
    ]
    publish(
        connection,
        *({"Order ID": ORDER, "Date": at(ASKED + n * MINUTE), **row} for n, row in enumerate(done, 1)),
    )
    tickets.fold(connection, POLICY)
    assert events(connection, "kind, actor, detail") == [
        ("assign", "unknown", {"agent": "Bo"}),
        ("hold", "unknown", {"stakeholder": "carrier"}),
        ("unread", "unknown", {}),
        ("note", "unknown", {"status": "pending"}),
        ("note", "unknown", {}),
        ("no_response_needed", "unknown", {}),
    ]
    assert [status for _, status, _ in statuses(connection, TICKET)] == [
        "new", "open", "on_hold", "new", "solved", "closed",
    ]  # fmt: skip
    assert clocks(connection, TICKET) == [("2026-03-10 10:00", "2026-03-10 10:06", "no_response_needed")]
    assert rows(connection, "select agent, source, assigned_by, rule from mart.ticket_agent") == [
        ("Bo", "desk:bqool", "unknown", None)
    ]


def test_words_stay_apart(connection: Connection) -> None:
    ask(connection)
    publish(connection, NOTED)
    assert rows(connection, "select source, body from pii.ticket_event_text") == [("desk:bqool", "Called Mia Muster.")]
    assert rows(connection, "select received ->> 'Note' from pii.desk_action") == [("Called Mia Muster.",)]
    assert "Muster" not in everything_in(connection, "raw", "core", "ops", "mart")


# ---------- which ticket


@pytest.mark.parametrize(
    "names",
    [
        {"Ticket Reference": TICKET},
        {"Ticket Reference": f"main/{TICKET}#2"},
        {"Order ID": ORDER},
        {"Order ID": ORDER, "Marketplace": "UK"},
        {"Order ID": order_id(9), "Ticket Reference": TICKET},
        {"Order ID": order_id(9), "Customer Email": ALIAS},
        {"Customer Email": ALIAS.replace("@", "+case@")},
    ],
    ids=str,
)
def test_a_ticket_is_found_by_what_the_desk_knows(connection: Connection, names: dict[str, str]) -> None:
    ask(connection)
    publish(connection, {"Action": "Solved", "Date": at(NOON - MINUTE), **names})
    assert events(connection, "ticket_key") == [(TICKET,)]


@pytest.mark.parametrize(("site", "key"), [("DE", "DE:case:1234567890"), (None, "-:case:1234567890")])
def test_a_case_is_found_by_its_number(connection: Connection, site: str | None, key: str) -> None:
    update = mail("case", "case_update", at=ASKED, case_id="1234567890", marketplace=site)
    land_some_mail(connection, update)
    let_pass(connection)
    land.publish_mail(connection, desk_settings())
    publish(connection, {"Action": "Solved", "Date": at(NOON), "Case ID": "1234567890"})
    assert events(connection, "ticket_key") == [(key,)]


def test_of_a_buyers_tickets_it_is_the_one_of_the_last_mail_before(connection: Connection) -> None:
    ask(connection, "first", order_ids=[order_id(1)], at=ASKED)
    ask(connection, "second", order_ids=[order_id(2)], at=ASKED + 10 * MINUTE)
    row = {"Action": "Solved", "Customer Email": ALIAS}
    publish(connection, *({**row, "Date": at(ASKED + n * MINUTE)} for n in (5, 15)))
    assert events(connection, "right(ticket_key, 1)") == [("1",), ("2",)]


def test_another_accounts_ticket_is_not_ours(connection: Connection) -> None:
    land_some_mail(connection, mail("question", at=ASKED, order_ids=[ORDER]), account="outlet")
    let_pass(connection)
    land.publish_mail(connection, desk_settings())
    publish(connection, SOLVED)
    assert events(connection) == []


@pytest.mark.parametrize(
    ("done", "reason"),
    [
        ({**SOLVED, "Order ID": order_id(9)}, "no such ticket is known"),
        ({**SOLVED, "Date": at(ASKED - 2 * MINUTE)}, "the ticket begins later"),
    ],
)
def test_an_action_on_an_unknown_ticket_is_set_aside_with_the_reason(
    connection: Connection, done: dict[str, str], reason: str
) -> None:
    ask(connection)
    publish(connection, done, NOTED)
    assert set_aside(connection) == [("line 2", "ticket_known", reason)]
    assert events(connection) == [("note", "Ana Lima")]
    publish(connection, done)
    assert len(set_aside(connection)) == 1, "an export that repeats it tells nothing new"


def test_an_action_whose_ticket_comes_later_is_taken_with_the_next_export(connection: Connection) -> None:
    publish(connection, SOLVED)
    assert events(connection) == []
    ask(connection)
    publish(connection, SOLVED)
    assert events(connection) == [("solve", "Ana Lima")]


def test_a_desk_that_rounds_its_times_does_not_act_before_the_question(connection: Connection) -> None:
    ask(connection, at=ASKED + timedelta(seconds=40))
    publish(connection, {**SOLVED, "Date": at(ASKED)})
    tickets.fold(connection, POLICY)
    assert statuses(connection, TICKET)[0] == ("2026-03-10 10:00:40", "solved", "solve")


def test_what_was_done_follows_the_mail_that_is_read_again(connection: Connection) -> None:
    ask(connection, order_ids=[])
    publish(connection, {**NOTED, "Order ID": "", "Customer Email": ALIAS})
    by_rules = "insert into core.ticket_event (account, source, source_id, ticket_key, kind, occurred_at, actor) select"
    connection.exec_driver_sql(
        f"{by_rules} account, 'rules', 'r', ticket_key, 'assign', occurred_at, 'rules' from core.ticket_event limit 1"
    )
    tickets.fold(connection, POLICY)
    landed = {"mailbox": "imap_default", "folder": "INBOX", "uid_validity": 1}
    understood = mail("question", at=ASKED, order_ids=[ORDER], buyer_alias=ALIAS)
    land.land_reread(connection, account="main", rows=[(landed, understood)], buyer_key=BUYER_KEY)
    let_pass(connection)
    land.publish_reread(connection, desk_settings())
    land.publish_desk_actions(connection, desk_settings())
    tickets.fold(connection, POLICY)
    assert rows(connection, "select ticket_key, kind from core.ticket_event order by kind") == [
        (TICKET, "buyer_message"),
        (TICKET, "note"),
    ]
    assert rows(connection, "select ticket_id from mart.ticket") == [(TICKET,)]
    assert rows(connection, "select body from pii.ticket_event_text") == [("Called Mia Muster.",)]


# ---------- once


def test_rows_that_come_again_change_nothing(connection: Connection) -> None:
    ask(connection)
    publish(connection, SOLVED, NOTED, NOTED)
    tickets.fold(connection, POLICY)
    before = rows(connection, "select * from core.ticket_event order by event_id")
    publish(connection, NOTED, SOLVED)
    publish(connection, {**NOTED, "Date": "2026-03-10T12:30:00+01:00"})
    assert rows(connection, "select * from core.ticket_event order by event_id") == before
    assert len(events(connection)) == 2
    assert rows(connection, "select count(*) from pii.ticket_event_text") == [(1,)]


def test_what_has_not_changed_leaves_no_trace(connection: Connection) -> None:
    ask(connection)
    publish(connection, NOTED)
    connection.exec_driver_sql("delete from pii.ticket_event_text")  # forgotten
    connection.exec_driver_sql("delete from ops.ticket_touched")
    publish(connection, NOTED)
    assert rows(connection, "select * from pii.ticket_event_text") == []
    assert rows(connection, "select * from ops.ticket_touched") == []


def test_two_desks_may_number_alike(connection: Connection) -> None:
    ask(connection)
    for desk in ("bqool", "zendesk"):
        publish(connection, {**SOLVED, "Activity ID": "1"}, desk=desk)
    assert events(connection, "source") == [("desk:bqool",), ("desk:zendesk",)]


# ---------- requests for reviews


def requests(connection: Connection) -> list[tuple[Any, ...]]:
    return rows(
        connection, "select account, order_id, requested_at, desk, actor from core.review_request order by 3, 4"
    )


def test_a_review_request_is_a_fact_of_its_order_and_needs_no_ticket(connection: Connection) -> None:
    publish(connection, REVIEW)
    done_at = datetime(2026, 3, 10, 11, 30, tzinfo=UTC)
    assert requests(connection) == [("main", ORDER, done_at, "bqool", "Ana Lima")]
    assert set_aside(connection) == []
    for table in ("core.ticket_event", "ops.ticket_touched", "core.amazon_order"):
        assert rows(connection, f"select * from {table}") == [], table


def test_a_review_request_does_nothing_to_the_ticket_of_its_order(connection: Connection) -> None:
    ask(connection)
    tickets.fold(connection, POLICY)
    before = statuses(connection, TICKET), clocks(connection, TICKET)
    publish(connection, REVIEW, {**REVIEW, "Date": at(ASKED - timedelta(days=9))})
    tickets.fold(connection, POLICY)
    assert (statuses(connection, TICKET), clocks(connection, TICKET)) == before
    assert len(requests(connection)) == 2, "also one from before the ticket began"
    assert events(connection) == []


def test_a_review_request_that_comes_again_is_one(connection: Connection) -> None:
    publish(connection, REVIEW, REVIEW)
    before = requests(connection)
    publish(connection, {**REVIEW, "Date": "2026-03-10T12:30:00+01:00", "Activity ID": "77"}, NOTED)
    assert requests(connection) == before
    publish(connection, REVIEW, desk="bqool_reviews")
    assert [row[3] for row in requests(connection)] == ["bqool", "bqool_reviews"], "each desk tells for itself"


def test_what_came_with_a_review_request_is_not_kept(connection: Connection) -> None:
    publish(connection, {**REVIEW, "Customer Email": ALIAS, "Note": "Mia Muster"}, NOTED)
    assert rows(connection, "select received ->> 'Action' from pii.desk_action") == [("Internal Note",)]
    assert "Muster" not in everything_in(connection, "raw", "core", "ops", "mart")


# ---------- checks


def checked(warehouse: Engine) -> list[quality.BatchVerdict]:
    return quality.check(warehouse, "desk_action", desk_settings(), as_of=NOON)


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"Action": "Danced"}, "action_known"),
        ({"Date": "soon"}, "time_readable"),
        ({"Date": at(NOON + 61 * MINUTE)}, "not_in_the_future"),
        ({"Order ID": ""}, "names_a_ticket"),
        ({"Action": "Assigned"}, "assigned_to_somebody"),
        ({"Action": "Request a review", "Order ID": "", "Customer Email": ALIAS}, "review_names_its_order"),
    ],
)
def test_a_bad_row_is_set_aside_and_the_others_are_published(
    warehouse: Engine, wrong: dict[str, str], rule: str
) -> None:
    with warehouse.begin() as connection:
        ask(connection)
        bring(connection, {**SOLVED, **wrong}, NOTED)
    [verdict] = checked(warehouse)
    assert (verdict.quarantined, verdict.rejected_because) == (1, None)
    with warehouse.begin() as connection:
        assert land.publish_desk_actions(connection, desk_settings()) == 1
        assert [aside[:2] for aside in set_aside(connection)] == [("line 2", rule)]
        assert events(connection) == [("note", "Ana Lima")]
        assert requests(connection) == []


def test_a_review_request_that_an_automation_made_is_nothing_strange(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        bring(connection, {**REVIEW, "Agent": ""})
    [verdict] = checked(warehouse)
    assert (verdict.broken_rules, verdict.quarantined) == ({}, 0)


def test_what_is_only_strange_is_recorded_and_published(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        ask(connection)
        bring(connection, {"Order ID": ORDER, "Action": "On hold", "Date": at(NOON)})
    [verdict] = checked(warehouse)
    assert (sorted(verdict.broken_rules), verdict.quarantined) == (["actor_told", "held_for_somebody"], 0)


def test_an_export_with_the_wrong_mapping_waits_for_a_person(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        bring(connection, *({**SOLVED, "Action": f"Danced {n}"} for n in range(12)))
    [verdict] = checked(warehouse)
    assert verdict.rejected_because == "12 of 12 rows broke rejecting rules (action_known 12)"
