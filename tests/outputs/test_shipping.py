"""Orders that sellers ship themselves: what is to ship, late, soon, and what was left at the end of the day."""

from datetime import UTC, datetime
from typing import Any

import pytest
from landing import WINDOW, iso, item
from landing import order as order_of_api
from output_rows import NOON, ORDER, after, before, goods, insert, order, settings, waiting, worklist
from sqlalchemy import Connection, text

from amazon_support.outputs import messages
from amazon_support.outputs.alerts import raise_alerts
from amazon_support.outputs.shipping import OrdersToShip, orders_to_ship, render
from amazon_support.outputs.worklist import read_worklists, write_worklists
from amazon_support.settings import Policy
from amazon_support.warehouse import land


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def told(connection: Connection, as_of: datetime = NOON) -> list[OrdersToShip]:
    return orders_to_ship(connection, settings(), as_of=as_of)


def test_orders_are_counted_by_account_and_marketplace(connection: Connection) -> None:
    order(connection, "late", ship_by_at=before(hours=1))
    order(connection, "soon", ship_by_at=after(hours=6))
    order(connection, "later", ship_by_at=after(hours=6, seconds=1), status="PARTIALLY_SHIPPED")
    order(connection, "undated", ship_by_at=None)
    order(connection, "japan", marketplace="JP", ship_by_at=after(hours=30))
    order(connection, "other", account="second", ship_by_at=after(hours=30))
    day_end, night_in_japan = at("2026-03-09T23:00"), at("2026-03-09T15:00")
    assert told(connection) == [
        OrdersToShip("main", "DE", 4, 1, 1, 1, before(hours=1), 4, day_end),
        OrdersToShip("main", "JP", 1, 0, 0, 0, after(hours=30), 1, night_in_japan),
        OrdersToShip("second", "DE", 1, 0, 0, 0, after(hours=30), 1, day_end),
    ]


def test_what_the_seller_need_not_ship_does_not_count(connection: Connection) -> None:
    order(connection, "by Amazon", fulfilled_by="AMAZON")
    order(connection, "pending", status="PENDING")
    order(connection, "cancelled", status="CANCELLED")
    order(connection, "elsewhere", marketplace=None)
    order(connection, "tomorrow", ordered_at=after(hours=1))
    order(connection, "shipped", status="SHIPPED", shipped_at=before(days=1))
    assert told(connection) == []
    assert render(told(connection)) == "Nothing to ship."


def test_a_past_instant_is_told_as_it_was(connection: Connection) -> None:
    order(connection, "shipped since", status="SHIPPED", shipped_at=before(hours=2), ship_by_at=before(hours=4))
    assert [(site.to_ship, site.late) for site in told(connection, before(hours=3))] == [(1, 1)]
    assert [(site.to_ship, site.left_over) for site in told(connection)] == [(0, 1)], "shipped after midnight in Berlin"
    assert told(connection, after(days=1)) == []


def test_the_table_lines_up(connection: Connection) -> None:
    order(connection, "late", ship_by_at=before(hours=1))
    order(connection, "japan", account="kirschbluete", marketplace="JP")
    assert render(told(connection)).splitlines() == [
        "account       site  to ship  late  soon  no ship-by  left at day's end",
        "kirschbluete  JP          1     0     1           0                  1",
        "main          DE          1     1     0           0                  1",
    ]


# ---------- what Amazon told later


def version(status: str, told_at: datetime, ship_by_at: datetime | None = None, **changes: Any) -> dict[str, Any]:
    """A version of the order, told at that instant."""
    promise = {"shipByWindow": {"latestDateTime": iso(ship_by_at)}} if ship_by_at else {}
    fulfillment = {"fulfillmentStatus": status, "fulfilledBy": "MERCHANT"} | promise
    return order_of_api(lastUpdatedTime=iso(told_at), fulfillment=fulfillment, **changes)


def publish(connection: Connection, told: dict[str, Any]) -> None:
    land.land_orders(connection, account="main", region="eu", window=WINDOW, orders=[told])
    connection.execute(text("update ops.batch set checked_at = landed_at where checked_at is null"))
    land.publish_orders(connection, settings())


def listed(connection: Connection, as_of: datetime = NOON) -> list[tuple[Any, ...]]:
    write_worklists(connection, settings(), as_of=as_of)
    return [(row.reason, row.order_status, row.ship_by_at) for row in worklist(connection, as_of)]


def package(name: str, shipped_at: datetime) -> dict[str, Any]:
    return {"packageReferenceId": name, "shipTime": iso(shipped_at)}


def items(shipped: int) -> list[dict[str, Any]]:
    return [item("1", quantity=3, fulfillment={"quantityFulfilled": shipped})]


FIRST, SECOND = package("1", before(hours=3)), package("2", after(hours=3))
UNSHIPPED = version("UNSHIPPED", before(hours=5), after(hours=7))
PENDING = version("PENDING", before(hours=5))
PARTLY = version("PARTIALLY_SHIPPED", before(hours=2), after(hours=7), packages=[FIRST], orderItems=items(2))
WHOLLY = version("SHIPPED", after(hours=4), after(hours=7), packages=[FIRST, SECOND], orderItems=items(3))


@pytest.mark.parametrize(
    ("then", "since", "shown"),
    [
        (UNSHIPPED, version("CANCELLED", after(hours=1)), "Ship within 7 h"),
        (UNSHIPPED, version("UNSHIPPED", after(hours=1), after(hours=30)), "Ship within 7 h"),
        (UNSHIPPED, version("SHIPPED", after(hours=1), packages=[package("1", after(hours=1))]), "Ship within 7 h"),
        (PARTLY, WHOLLY, "Ship within 7 h, 1 of 3 pieces to ship"),
        (PENDING, version("UNSHIPPED", after(hours=1), after(hours=30)), None),
    ],
    ids=["cancelled", "promised for later", "shipped", "second package", "paid"],
)
def test_what_became_of_an_order_since_changes_no_past_answer(
    connection: Connection, then: dict[str, Any], since: dict[str, Any], shown: str | None
) -> None:
    publish(connection, then)
    before_it = told(connection), listed(connection)
    assert [reason for reason, *_ in before_it[1]] == ([shown] if shown else [])
    publish(connection, since)
    assert (told(connection), listed(connection)) == before_it


def test_an_order_told_only_when_it_was_shipped_was_to_ship_until_its_last_package(connection: Connection) -> None:
    publish(connection, WHOLLY)
    assert listed(connection, before(hours=4)) == [("Ship within 11 h", "UNSHIPPED", after(hours=7))]
    assert listed(connection, before(hours=3)) == [("Ship within 10 h", "PARTIALLY_SHIPPED", after(hours=7))]
    assert listed(connection, after(hours=3)) == []


def test_a_shipment_told_late_counts_from_when_it_left(connection: Connection) -> None:
    publish(connection, UNSHIPPED)
    publish(connection, version("SHIPPED", after(hours=1), after(hours=7), packages=[FIRST]))
    assert [len(listed(connection, hour)) for hour in (before(hours=4), before(hours=3), NOON)] == [1, 0, 0]


def test_a_version_that_was_set_aside_tells_nothing(connection: Connection) -> None:
    publish(connection, UNSHIPPED)
    wrong = version("CANCELLED", before(hours=1))
    batch_id = land.land_orders(connection, account="main", region="eu", window=WINDOW, orders=[wrong])
    key = wrong["orderId"]
    insert(connection, "ops.quarantine", account="main", dataset="orders", row_key=key, rule="r", batch_id=batch_id)
    connection.execute(text("update ops.batch set checked_at = landed_at where checked_at is null"))
    land.publish_orders(connection, settings())
    publish(connection, version("UNSHIPPED", after(hours=1), after(hours=7)))
    assert [reason for reason, *_ in listed(connection)] == ["Ship within 7 h"]


# ---------- how people are told


def test_an_unknown_ship_by_time_comes_last_and_says_why(connection: Connection) -> None:
    order(connection, "1", ship_by_at=None)
    order(connection, "2", ship_by_at=None, api_updated_at=before(days=1))
    order(connection, "3", ship_by_at=after(hours=50))
    assert [reason for reason, *_ in listed(connection)] == [
        "Ship within 2 d 2 h",
        "Ordered 2 d ago, ship-by time unknown: only a report has told of this order",
        "Ordered 2 d ago, Amazon names no ship-by time",
    ]


def test_the_worklists_heading_says_how_many_are_late(connection: Connection) -> None:
    order(connection, "1", ship_by_at=before(hours=1))
    order(connection, "2", ship_by_at=after(hours=5))
    order(connection, "3", ship_by_at=after(hours=7))
    write_worklists(connection, settings(), as_of=NOON)
    (shown,) = read_worklists(connection, settings(), as_of=NOON)
    mail = messages.worklist_mail(shown)
    assert "ORDERS TO SHIP (3, 1 late)" in mail.plain
    assert "Orders to ship (3, 1 late)" in mail.html
    assert mail.subject == "Worklist 12:00 UTC: 1 late, 1 at risk, 3 in all", "at risk is what the alert calls soon"


def alerted(connection: Connection) -> Any:
    write_worklists(connection, settings(), as_of=NOON)
    assert raise_alerts(connection, settings(), as_of=NOON) == 1
    return connection.execute(text("select html, plain from pii.outbox")).one()


def test_an_alert_lists_orders_as_one_table(connection: Connection) -> None:
    order(connection, ship_by_at=before(hours=3))
    goods(connection, "Teapot <b>")
    order(connection, "302-1234567-0000002", marketplace="JP", ship_by_at=before(hours=1))
    goods(connection, "Cup", "302-1234567-0000002")
    order(connection, "302-1234567-0000003", marketplace="XX", ship_by_at=before(minutes=1))
    mail = alerted(connection)
    assert mail.plain.splitlines()[4:8] == [
        "LATE TO SHIP (3)",
        "",
        "3 h late           10 Mar 09:00 UTC  DE  302-1234567-0000001  2 × Teapot <b> (TEAPOT)",
        "1 h late           10 Mar 11:00 UTC  JP  302-1234567-0000002  2 × Cup (TEAPOT)",
    ]
    assert mail.html.count('<table class="list"') == 1
    assert f'<a href="https://sellercentral.amazon.de/orders-v3/order/{ORDER}">{ORDER}</a>' in mail.html
    assert "<td>302-1234567-0000003 " in mail.html, "nobody knows the page of an unknown site"
    assert "Teapot &lt;b&gt;" in mail.html


def test_the_fullest_alert_is_not_cut_off_by_gmail(connection: Connection) -> None:
    title = "A title of the usual length, with colour, size and what it is good for " * 2
    for number in range(90):
        order_id = f"302-1234567-{number:07}"
        order(connection, order_id, ship_by_at=before(hours=1) if number % 2 else after(hours=1))
        goods(connection, title, order_id)
        waiting(connection, f"DE:order:{order_id}", before(hours=30 if number % 2 else 22), order_id=order_id)
    html = alerted(connection).html
    assert html.count("and 25 more: see") == 2, "breached and at risk share the room"
    assert html.count("and 20 more: see") == 2, "late to ship, to ship soon"
    assert len(html.encode()) < 102_000


def test_nobody_can_be_warned_within_less_than_the_hour_between_two_runs() -> None:
    with pytest.raises(ValueError, match="warn_shipment_before"):
        Policy(warn_shipment_before="59m")
