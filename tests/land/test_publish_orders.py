"""Checked batches of orders become facts: the newest version of each order, once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from landing import (
    ALIAS,
    NOON,
    ORDER,
    iso,
    item,
    land_some_mail,
    land_some_orders,
    let_pass,
    mail,
    order,
    rows,
    wait_until_somebody_waits,
)
from sqlalchemy import Connection, Engine, text

from amazon_support import settings
from amazon_support.warehouse import land

SETTINGS = settings.load()


def publish(connection: Connection) -> int:
    let_pass(connection)
    return land.publish_orders(connection, SETTINGS)


def version(minutes: int, **changes: object) -> dict[str, object]:
    return order(lastUpdatedTime=iso(NOON - timedelta(hours=1) + timedelta(minutes=minutes)), **changes)


def test_an_order_becomes_facts(connection: Connection) -> None:
    land_some_orders(
        connection,
        order(
            fulfillment={
                "fulfillmentStatus": "PARTIALLY_SHIPPED",
                "fulfilledBy": "MERCHANT",
                "shipByWindow": {"latestDateTime": "2026-03-11T22:59:59Z"},
                "deliverByWindow": {"latestDateTime": "2026-03-15T22:59:59+01:00"},
            },
            packages=[{"shipTime": "2026-03-09T10:00:00Z"}, {"shipTime": "2026-03-08T10:00:00Z"}, {}],
            orderItems=[item("1", 2, fulfillment={"quantityFulfilled": 1}), item("2", proceeds=None)],
        ),
    )
    assert publish(connection) == 1
    assert rows(
        connection,
        "select order_id, region, marketplace, status, fulfilled_by, ship_country, ordered_at, ship_by_at, "
        "deliver_by_at, shipped_at, total_amount, currency, is_placeholder from core.amazon_order",
    ) == [
        (
            ORDER,
            "eu",
            "DE",
            "PARTIALLY_SHIPPED",
            "MERCHANT",
            "DE",
            NOON - timedelta(days=2),
            datetime(2026, 3, 11, 22, 59, 59, tzinfo=UTC),
            datetime(2026, 3, 15, 21, 59, 59, tzinfo=UTC),
            datetime(2026, 3, 8, 10, tzinfo=UTC),
            Decimal("24.90"),
            "EUR",
            False,
        )
    ]
    assert rows(
        connection,
        "select position, asin, sku, title, quantity, amount, currency from core.amazon_order_item order by position",
    ) == [
        (1, "B000000001", "TEAPOT", "Teapot", 2, Decimal("24.90"), "EUR"),
        (2, "B000000001", "TEAPOT", "Teapot", 1, None, None),
    ]
    assert rows(
        connection,
        "select order_item_id, sku, quantity, quantity_shipped from core.amazon_order_item_progress order by 1",
    ) == [("1", "TEAPOT", 2, 1), ("2", "TEAPOT", 1, None)]
    assert rows(connection, "select buyer_name, buyer_alias, recipient ? 'deliveryAddress' from pii.order_contact") == [
        ("Mia Muster", ALIAS, True)
    ]


def test_publishing_again_changes_nothing(connection: Connection) -> None:
    land_some_orders(connection, order())
    publish(connection)
    before = rows(connection, "select * from core.amazon_order")
    assert publish(connection) == 0
    assert rows(connection, "select * from core.amazon_order") == before


def test_a_newer_version_replaces_the_order_and_its_items(connection: Connection) -> None:
    land_some_orders(connection, version(0, orderItems=[item("1"), item("2")]))
    publish(connection)
    land_some_orders(connection, version(5, fulfillment={"fulfillmentStatus": "SHIPPED"}, orderItems=[item("2", 3)]))
    publish(connection)
    assert rows(connection, "select status from core.amazon_order") == [("SHIPPED",)]
    assert rows(connection, "select quantity from core.amazon_order_item") == [(3,)]
    assert rows(connection, "select order_item_id, quantity from core.amazon_order_item_progress") == [("2", 3)]


def test_an_older_version_never_replaces_a_newer_one(connection: Connection) -> None:
    land_some_orders(connection, version(5, buyer={"buyerName": "Mia Neu", "buyerEmail": ALIAS}))
    publish(connection)
    land_some_orders(connection, version(0, fulfillment={"fulfillmentStatus": "PENDING"}, orderItems=[item("9")]))
    publish(connection)
    assert rows(connection, "select status from core.amazon_order") == [("UNSHIPPED",)]
    assert rows(connection, "select order_item_id from core.amazon_order_item_progress") == [("1",)]
    assert rows(connection, "select buyer_name from pii.order_contact") == [("Mia Neu",)]


def test_of_several_batches_at_once_the_newest_version_wins(connection: Connection) -> None:
    land_some_orders(connection, version(5, orderItems=[item("new")]))
    land_some_orders(connection, version(0, orderItems=[item("old")]))
    assert publish(connection) == 2
    assert rows(connection, "select order_item_id from core.amazon_order_item_progress") == [("new",)]


def test_what_amazon_no_longer_tells_of_the_buyer_stays(connection: Connection) -> None:
    land_some_orders(connection, version(0))
    publish(connection)
    land_some_orders(connection, version(5, buyer=None, recipient=None))
    publish(connection)
    assert rows(connection, "select buyer_name, recipient is not null from pii.order_contact") == [("Mia Muster", True)]


def test_a_placeholder_gives_way_to_the_order(connection: Connection) -> None:
    land_some_mail(connection, mail("question", order_ids=[ORDER]))
    let_pass(connection)
    land.publish_mail(connection, SETTINGS)
    assert rows(connection, "select order_id, region, marketplace, is_placeholder, status from core.amazon_order") == [
        (ORDER, "eu", "DE", True, None)
    ]
    land_some_orders(connection, order())
    publish(connection)
    assert rows(connection, "select is_placeholder, status from core.amazon_order") == [(False, "UNSHIPPED")]


def test_accounts_do_not_mix(connection: Connection) -> None:
    land_some_orders(connection, order())
    land_some_orders(connection, order(orderItems=[item("of the other")]), account="other")
    publish(connection)
    assert rows(connection, "select account, order_item_id from core.amazon_order_item_progress order by 1") == [
        ("main", "1"),
        ("other", "of the other"),
    ]


def test_only_checked_batches_that_were_not_rejected_are_published(connection: Connection) -> None:
    land_some_orders(connection, order())
    rejected = land_some_orders(connection, order("302-1234567-7654321"))
    let_pass(connection)
    connection.execute(text("update ops.batch set rejected_because = 'x' where batch_id = :id"), {"id": rejected})
    land_some_orders(connection, order("302-1234567-1111111"))
    assert land.publish_orders(connection, SETTINGS) == 1
    assert rows(connection, "select order_id from core.amazon_order") == [(ORDER,)]


@pytest.mark.parametrize(("end", "left"), [("commit", 0), ("rollback", 1)])
def test_a_batch_that_another_publisher_holds_is_waited_for(warehouse: Engine, end: str, left: int) -> None:
    """Whoever goes on to fold finds published what was checked, by whichever of two runs."""
    with warehouse.begin() as first:
        land_some_orders(first, order())
        let_pass(first)

    def publish_beside() -> int:
        with warehouse.begin() as beside:
            return land.publish_orders(beside, SETTINGS)

    with ThreadPoolExecutor(1) as others, warehouse.connect() as one:
        assert land.publish_orders(one, SETTINGS) == 1
        other = others.submit(publish_beside)
        wait_until_somebody_waits(warehouse)
        getattr(one, end)()
        assert other.result(timeout=30) == left
    with warehouse.begin() as connection:
        assert rows(connection, "select order_id from core.amazon_order") == [(ORDER,)]


def test_a_run_killed_while_publishing_leaves_the_batch_to_the_next(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        land_some_orders(connection, order())
        let_pass(connection)
    with warehouse.connect() as killed:
        land.publish_orders(killed, SETTINGS)
        killed.rollback()
    with warehouse.begin() as next_run:
        assert rows(next_run, "select * from core.amazon_order") == []
        assert land.publish_orders(next_run, SETTINGS) == 1
        assert rows(next_run, "select order_id from core.amazon_order") == [(ORDER,)]
