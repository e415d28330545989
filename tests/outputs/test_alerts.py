"""Who is told what, once."""

import pytest
from output_rows import ANA, NOON, after, before, clock, order, settings, ticket, waiting
from sqlalchemy import Connection, text

from amazon_support.outputs.alerts import raise_alerts
from amazon_support.outputs.worklist import write_worklists
from amazon_support.settings import Agent

YUKI = Agent(name="Yuki Tan", email="yuki@shop.example", marketplaces=("JP",))


def run(connection: Connection, *agents: Agent, as_of: object = NOON) -> int:
    write_worklists(connection, settings(*agents), as_of=as_of)  # type: ignore[arg-type]
    queued = raise_alerts(connection, settings(*agents), as_of=as_of)  # type: ignore[arg-type]
    connection.execute(text("update pii.outbox set sent_at = available_at where sent_at is null"))
    return queued


def queued(connection: Connection) -> list[tuple[str, str]]:
    rows = connection.execute(text("select recipient, subject from pii.outbox order by outbox_id"))
    return [(row.recipient, row.subject) for row in rows]


def test_one_message_a_person_with_all_that_is_new(connection: Connection) -> None:
    waiting(connection, "DE:order:late", before(hours=30))
    waiting(connection, "JP:order:soon", before(hours=21))
    waiting(connection, "JP:order:relaxed", before(hours=2))
    assert run(connection, ANA, YUKI) == 2
    assert sorted(queued(connection)) == [
        ("ana@shop.example", "Alert 12:00 UTC: 1 breached, 1 at risk"),
        ("yuki@shop.example", "Alert 12:00 UTC: 1 at risk"),
    ]
    plain = connection.execute(text("select plain from pii.outbox where recipient = 'ana@shop.example'")).scalar_one()
    assert plain.index("BREACHED (1)") < plain.index("6 h late") < plain.index("AT RISK (1)") < plain.index("3 h left")


def test_whoever_has_been_told_is_not_told_again(connection: Connection) -> None:
    waiting(connection, "DE:order:1", before(hours=30))
    assert [run(connection), run(connection), run(connection, as_of=after(hours=1))] == [1, 0, 0]
    assert len(queued(connection)) == 1


def test_at_risk_and_breached_are_two_levels(connection: Connection) -> None:
    waiting(connection, "DE:order:1", before(hours=21))
    hours = [NOON, after(hours=3), after(hours=3, seconds=1), after(hours=9)]
    assert [run(connection, as_of=hour) for hour in hours] == [1, 0, 1, 0]
    assert [subject.partition(": ")[2] for _, subject in queued(connection)] == ["1 at risk", "1 breached"]


def test_the_next_cycle_is_news(connection: Connection) -> None:
    ticket(connection, "DE:order:1", periods=[("open", before(hours=60))])
    clock(connection, "DE:order:1", before(hours=60), stopped_at=before(hours=30))
    assert run(connection, as_of=before(hours=31)) == 1
    clock(connection, "DE:order:1", before(hours=28), cycle=2)
    assert run(connection) == 1


def test_what_is_found_late_for_the_same_hour_is_told_in_a_message_of_its_own(connection: Connection) -> None:
    waiting(connection, "DE:order:1", before(hours=30))
    assert run(connection) == 1
    waiting(connection, "DE:order:2", before(hours=31))
    assert run(connection) == 1
    plain = connection.execute(text("select plain from pii.outbox order by outbox_id desc limit 1")).scalar_one()
    assert "31 h" not in plain
    assert "7 h late" in plain
    assert "6 h late" not in plain


@pytest.mark.parametrize("status", ["pending", "solved", "closed"])
def test_an_answered_or_closed_ticket_alerts_nobody(connection: Connection, status: str) -> None:
    ticket(connection, "DE:order:1", periods=[(status, before(hours=1))])
    clock(connection, "DE:order:1", before(hours=30), stopped_at=None if status == "closed" else before(hours=1))
    assert run(connection) == 0


def test_two_agents_with_one_address_get_one_message(connection: Connection) -> None:
    waiting(connection, "JP:order:1", before(hours=30))
    assert run(connection, YUKI, Agent(name="Kenji Mori", email=YUKI.email, marketplaces=("JP", "DE"))) == 1
    plain = connection.execute(text("select plain from pii.outbox")).scalar_one()
    assert "Yuki Tan, Kenji Mori" in plain
    assert plain.count("Contact buyer") == 1


# ---------- orders to ship


def test_an_order_is_told_when_it_is_to_ship_soon_and_once_more_when_it_is_late(connection: Connection) -> None:
    order(connection, ship_by_at=after(hours=8))
    hours = [NOON, after(hours=2), after(hours=3), after(hours=8, seconds=1), after(hours=9)]
    assert [run(connection, as_of=hour) for hour in hours] == [0, 1, 0, 1, 0]
    assert [subject.partition(": ")[2] for _, subject in queued(connection)] == ["1 to ship soon", "1 late to ship"]


def test_replies_and_shipments_share_one_message(connection: Connection) -> None:
    waiting(connection, "DE:order:late", before(hours=30))
    order(connection, "302-1234567-0000001", ship_by_at=after(hours=1))
    order(connection, "302-1234567-0000002", ship_by_at=before(hours=1))
    order(connection, "302-1234567-0000003", ship_by_at=None)
    order(connection, "302-1234567-0000004", ship_by_at=before(hours=1), fulfilled_by="AMAZON")
    assert run(connection) == 1
    assert queued(connection) == [("ana@shop.example", "Alert 12:00 UTC: 1 breached, 1 late to ship, 1 to ship soon")]
    plain = connection.execute(text("select plain from pii.outbox")).scalar_one()
    assert plain.index("BREACHED (1)") < plain.index("LATE TO SHIP (1)") < plain.index("302-1234567-0000002")
    assert plain.index("302-1234567-0000002") < plain.index("TO SHIP SOON (1)") < plain.index("302-1234567-0000001")
    assert "302-1234567-0000003" not in plain


def test_a_shipped_order_alerts_nobody(connection: Connection) -> None:
    order(connection, status="SHIPPED", shipped_at=before(hours=2), ship_by_at=before(hours=1))
    assert run(connection) == 0
