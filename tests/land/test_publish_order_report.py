"""The all-orders report becomes facts beside the orders of the API: the newest version of each order, once."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from landing import (
    NOON,
    ORDER,
    everything_in,
    iso,
    item,
    land_some_mail,
    land_some_orders,
    let_pass,
    mail,
    order,
    order_id,
    rows,
)
from report_lines import flat_file, land_some_lines, report_line
from sqlalchemy import Connection, Engine

from amazon_support import settings
from amazon_support.quality import check
from amazon_support.sources.errors import BadDocument
from amazon_support.warehouse import land

SETTINGS = settings.load()


def publish(connection: Connection) -> None:
    let_pass(connection)
    land.publish_orders(connection, SETTINGS)
    land.publish_order_report(connection, SETTINGS)


def at(minutes: int) -> str:
    """So many minutes after eleven."""
    return iso(NOON - timedelta(hours=1) + timedelta(minutes=minutes))


# ---------- one report


def test_the_lines_of_an_order_become_an_order_with_items(connection: Connection) -> None:
    land_some_lines(
        connection,
        report_line(quantity=2, item_price="49.80", item_tax="7.95", shipping_price="3.00", shipping_tax="0.48",
                    item_promotion_discount="5.00", promotion_ids="SPRING 1,SPRING 2", is_business_order="true"),
        report_line(sku="CUP", asin="B000000002", product_name="Cup “blue”", item_price="8.00"),
    )  # fmt: skip
    publish(connection)
    assert rows(
        connection,
        "select order_id, region, marketplace, sales_channel, status, fulfilled_by, service_level, ship_country, "
        "is_business, ordered_at, last_updated_at, total_amount, currency, is_placeholder, is_from_api, ship_by_at, "
        "api_updated_at from core.amazon_order",
    ) == [
        (
            ORDER,
            "eu",
            "DE",
            "Amazon.de",
            "UNSHIPPED",
            "MERCHANT",
            "SECOND_DAY",
            "DE",
            True,
            NOON - timedelta(days=2),
            NOON - timedelta(minutes=30),
            Decimal("55.80"),
            "EUR",
            False,
            False,
            None,
            None,
        )
    ]
    assert rows(
        connection,
        "select position, asin, sku, title, quantity, amount, item_price, shipping_price, tax, discount, "
        "promotion_ids, currency from core.amazon_order_item order by position",
    ) == [
        (1, "B000000001", "TEAPOT", "Teapot", 2, Decimal("47.80"), Decimal("49.80"), Decimal("3.00"), Decimal("8.43"),
         Decimal("5.00"), ["SPRING 1", "SPRING 2"], "EUR"),
        (2, "B000000002", "CUP", "Cup “blue”", 1, Decimal("8.00"), Decimal("8.00"), None, None, None, [], "EUR"),
    ]  # fmt: skip


def test_where_prices_are_without_tax_the_buyer_pays_it_on_top(connection: Connection) -> None:
    land_some_lines(connection, report_line(sales_channel="Amazon.com", item_price="10.00", item_tax="0.83"))
    publish(connection)
    assert rows(connection, "select marketplace, total_amount from core.amazon_order") == [("US", Decimal("10.83"))]
    assert rows(connection, "select amount, tax from core.amazon_order_item") == [(Decimal("10.83"), Decimal("0.83"))]


def test_discounts_count_alike_with_and_without_a_minus_sign(connection: Connection) -> None:
    land_some_lines(connection, report_line(item_price="10.00", item_promotion_discount="-1.00"))
    publish(connection)
    assert rows(connection, "select amount, discount from core.amazon_order_item") == [(Decimal("9"), Decimal("1"))]


@pytest.mark.parametrize(
    ("reported", "known_as"),
    [
        ("Pending", "PENDING"),
        ("PendingAvailability", "PENDING_AVAILABILITY"),
        ("PartiallyShipped", "PARTIALLY_SHIPPED"),
        ("Shipped", "SHIPPED"),
        ("Shipped - Delivered to Buyer", "SHIPPED"),
        ("Cancelled", "CANCELLED"),
        ("Unfulfillable", "UNFULFILLABLE"),
    ],
)
def test_statuses_are_told_in_the_words_of_the_api(connection: Connection, reported: str, known_as: str) -> None:
    land_some_lines(connection, report_line(order_status=reported))
    publish(connection)
    assert rows(connection, "select status from core.amazon_order") == [(known_as,)]


def test_a_pending_order_has_no_total_yet(connection: Connection) -> None:
    land_some_lines(connection, report_line(order_status="Pending", item_price="", currency=""))
    publish(connection)
    assert rows(connection, "select total_amount, currency from core.amazon_order") == [(None, None)]


def test_an_order_of_another_channel_is_kept_without_marketplace(connection: Connection) -> None:
    land_some_lines(connection, report_line("S01-1234567-1234567", sales_channel="Non-Amazon"))
    publish(connection)
    assert rows(connection, "select marketplace, sales_channel from core.amazon_order") == [(None, "Non-Amazon")]


def test_a_report_with_no_line_is_no_batch(connection: Connection) -> None:
    heading = flat_file(report_line()).splitlines()[0]
    assert land_some_lines(connection, f"{heading}\r\n") == (None, 0)
    assert rows(connection, "select * from ops.batch") == []


def test_an_error_page_is_no_report_and_leaves_nothing(connection: Connection) -> None:
    with pytest.raises(BadDocument, match="error page"), connection.begin_nested():
        land_some_lines(connection, "<html><body>Service Unavailable</body></html>")
    assert rows(connection, "select * from ops.batch") == []


def test_where_the_buyer_lives_is_not_kept(connection: Connection) -> None:
    land_some_lines(connection, report_line(ship_city="Musterstadt", ship_postal_code="98765", url="https://x.example"))
    publish(connection)
    kept = everything_in(connection, "raw", "core", "ops", "mart", "pii")
    assert [word for word in ("Musterstadt", "98765", "x.example") if word in kept] == []


# ---------- lines that cannot be used


def test_lines_that_cannot_be_typed_are_set_aside_and_the_rest_is_landed(connection: Connection) -> None:
    good, dear, torn = flat_file(
        report_line(), report_line(order_id(2), item_price="1.234,56"), report_line(order_id(3))
    ).splitlines()[1:]
    heading = flat_file(report_line()).splitlines()[0]
    torn = torn.rsplit("\t", 3)[0]
    _, lines = land_some_lines(connection, "\r\n".join([heading, good, dear, torn]))
    assert lines == 1
    assert rows(connection, "select row_key, rule, reason from ops.quarantine order by 1") == [
        ("line 3", "line_readable", "item-price: not a number"),
        ("line 4", "line_readable", "12 fields instead of 15"),
    ]
    assert "1.234,56" in rows(connection, "select content from pii.quarantined_row order by 1")[0][0]
    publish(connection)
    assert rows(connection, "select order_id from core.amazon_order") == [(ORDER,)]


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"amazon_order_id": "302-1"}, "order_id_shape"),
        ({"amazon_order_id": ""}, "order_id_shape"),
        ({"purchase_date": ""}, "created_time_readable"),
        ({"last_updated_date": ""}, "updated_time_readable"),
        ({"purchase_date": "2026-03-10T11:45:00+00:00"}, "created_before_updated"),
        ({"last_updated_date": "2026-03-12T11:45:00+00:00"}, "not_in_the_future"),
        ({"quantity": ""}, "quantity_present"),
        ({"quantity": "-1"}, "quantities_valid"),
        ({"item_price": "1e15"}, "amounts_fit"),
    ],
    ids=str,
)
def test_a_line_that_breaks_a_rule_is_set_aside_and_the_others_are_published(
    warehouse: Engine, wrong: dict[str, Any], rule: str
) -> None:
    with warehouse.begin() as connection:
        land_some_lines(connection, report_line(order_id(2)), report_line(**wrong))
    [verdict] = check(warehouse, "order_report", SETTINGS, as_of=NOON)
    assert (verdict.quarantined, verdict.rejected_because) == (1, None)
    with warehouse.begin() as connection:
        assert rows(connection, "select row_key, rule from ops.quarantine") == [("line 3", rule)]
        land.publish_order_report(connection, SETTINGS)
        assert rows(connection, "select order_id from core.amazon_order") == [(order_id(2),)]
        assert rows(connection, "select order_id from core.amazon_order_item") == [(order_id(2),)]


@pytest.mark.parametrize(
    ("odd", "rule"),
    [({"order_status": "Teleported"}, "status_known"), ({"sales_channel": "Non-Amazon"}, "marketplace_known")],
)
def test_what_is_merely_unusual_is_told_and_published(warehouse: Engine, odd: dict[str, Any], rule: str) -> None:
    with warehouse.begin() as connection:
        land_some_lines(connection, report_line(**odd))
    [verdict] = check(warehouse, "order_report", SETTINGS, as_of=NOON)
    assert (verdict.broken_rules, verdict.quarantined) == ({rule: 1}, 0)


# ---------- beside the API


def test_a_newer_report_tells_the_status_and_the_api_the_promises(connection: Connection) -> None:
    promised = {"latestDateTime": "2026-03-11T22:59:59Z"}
    fulfillment = {"fulfillmentStatus": "UNSHIPPED", "fulfilledBy": "MERCHANT", "shipByWindow": promised}
    cancellation = {"cancellationRequest": {"requester": "BUYER", "cancelReason": "No longer needed"}}
    of_api = order(
        lastUpdatedTime=at(10),
        fulfillment=fulfillment,
        programs=["PRIME"],
        orderItems=[item("1", cancellation=cancellation)],
        packages=[{"packageReferenceId": "1", "trackingNumber": "T1", "packageStatus": {"status": "PENDING"}}],
    )
    land_some_orders(connection, of_api)
    publish(connection)
    land_some_lines(connection, report_line(last_updated_date=at(20), order_status="Shipped"))
    publish(connection)
    assert rows(
        connection, "select status, is_from_api, ship_by_at, is_prime, api_updated_at from core.amazon_order"
    ) == [("SHIPPED", False, datetime(2026, 3, 11, 22, 59, 59, tzinfo=UTC), True, NOON - timedelta(minutes=50))]
    assert rows(connection, "select cancel_requested_by from core.amazon_order_item_progress") == [("BUYER",)]
    assert rows(connection, "select tracking_number, status from core.amazon_order_package") == [("T1", "PENDING")]
    assert rows(connection, "select buyer_name from pii.order_contact") == [("Mia Muster",)]


def test_an_older_order_of_the_api_adds_what_a_newer_report_could_not_tell(connection: Connection) -> None:
    land_some_lines(connection, report_line(last_updated_date=at(20), order_status="Shipped"))
    publish(connection)
    land_some_orders(connection, order(lastUpdatedTime=at(10)))
    publish(connection)
    assert rows(connection, "select status, is_from_api, api_updated_at from core.amazon_order") == [
        ("SHIPPED", False, NOON - timedelta(minutes=50))
    ]
    assert rows(connection, "select buyer_name from pii.order_contact") == [("Mia Muster",)]
    assert rows(connection, "select order_item_id from core.amazon_order_item_progress") == [("1",)]


def test_a_placeholder_gives_way_to_the_report(connection: Connection) -> None:
    land_some_mail(connection, mail("question", order_ids=[ORDER]))
    let_pass(connection)
    land.publish_mail(connection, SETTINGS)
    land_some_lines(connection, report_line())
    publish(connection)
    assert rows(connection, "select is_placeholder, status from core.amazon_order") == [(False, "UNSHIPPED")]


TOLD = (
    "select status, last_updated_at, is_from_api, total_amount, is_prime, api_updated_at, "
    "(select string_agg(concat(sku, ' ', quantity), ',' order by position) from core.amazon_order_item), "
    "(select string_agg(concat(sku, ' ', quantity), ',' order by order_item_id) from core.amazon_order_item_progress), "
    "(select string_agg(tracking_number, ',') from core.amazon_order_package), "
    "(select string_agg(buyer_name, ',') from pii.order_contact) from core.amazon_order"
)


def _land(connection: Connection, source: str, minute: int) -> None:
    if source == "api":
        changes: dict[str, Any] = {
            "lastUpdatedTime": at(minute),
            "buyer": {"buyerName": f"Mia {minute}"},
            "orderItems": [item("1", minute), item("2")],
            "packages": [{"trackingNumber": f"T{minute}"}],
            "programs": ["PRIME"] if minute == 20 else [],
        }
        land_some_orders(connection, order(**changes))
    else:
        lines = [report_line(last_updated_date=at(minute), order_status="Shipped", quantity=n) for n in (minute, 7)]
        land_some_lines(connection, *lines)


@hypothesis(max_examples=16, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    arriving=st.permutations([(source, minute) for source in ("api", "report") for minute in (10, 20, 30)]).flatmap(
        lambda order: st.tuples(st.just(order), st.integers(1, 6), st.lists(st.booleans(), min_size=6, max_size=6))
    )
)
def test_in_whatever_order_versions_arrive_the_facts_are_the_same(
    connection: Connection, arriving: tuple[list[tuple[str, int]], int, list[bool]]
) -> None:
    """Some of the versions, each published at once or together with the next."""
    order, count, at_once = arriving
    told = []
    for versions in (order[:count], sorted(order[:count])):
        with connection.begin_nested() as attempt:
            for (source, minute), alone in zip(versions, at_once, strict=False):
                _land(connection, source, minute)
                if alone:
                    publish(connection)
            publish(connection)
            told.append(rows(connection, TOLD))
            attempt.rollback()
    assert told[0] == told[1]
    assert len(told[0]) == 1


def test_a_report_with_half_its_columns_is_refused_in_one_sentence(connection: Connection) -> None:
    needed = ("amazon-order-id", "purchase-date", "last-updated-date", "order-status", "quantity", "sku", "asin")
    half = {name: value for name, value in report_line().items() if name in needed}
    with pytest.raises(BadDocument, match=r"account main.*has only 7 of its 23 usual columns"):
        land_some_lines(connection, half)
