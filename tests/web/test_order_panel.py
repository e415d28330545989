"""The order beside a ticket: what was paid, given back, and where it goes, also where it was to go before."""

import re
from datetime import timedelta

from desk_exports import REVIEW, as_csv, desk_settings, read
from landing import (
    NOON,
    ORDER,
    iso,
    land_some_mail,
    land_some_orders,
    let_pass,
    mail,
    order,
    order_id,
)
from sqlalchemy import Engine
from ticket_histories import KEY, POLICY, moment
from visitors import Browser

from amazon_support import settings, tickets
from amazon_support.warehouse.land import land_desk_actions, publish_desk_actions, publish_mail, publish_orders

PARIS = {"name": "Mia Muster", "addressLine1": "Rue du Test 5", "city": "Paris", "countryCode": "FR"}
MOVED = order(lastUpdatedTime=iso(NOON), recipient={"deliveryAddress": PARIS})
REFUND = {"order_ids": [ORDER], "amount": "5.00", "currency": "EUR"}


def test_everything_that_an_answer_needs_stands_beside_the_ticket(browser: Browser, warehouse: Engine) -> None:
    current = settings.load()
    with warehouse.begin() as connection:
        for version in (order(), MOVED):
            land_some_orders(connection, version)
            let_pass(connection)
            publish_orders(connection, current)
        land_some_mail(
            connection,
            mail("asked", at=moment("2026-03-10 08:00"), order_ids=[ORDER]),
            mail("refund", "refund_notice", at=moment("2026-03-10 09:00"), **REFUND),
        )
        let_pass(connection)
        publish_mail(connection, current)
        tickets.fold(connection, POLICY)
    page = browser("ana").get(f"/tickets/main/{KEY}").text
    for shown in (
        "<dt>Paid</dt><dd>yes</dd>",
        "<dt>Total</dt><dd>24.90\u00a0EUR</dd>",
        "<dt>Refund</dt><dd>5.00\u00a0EUR, ",
        'FR <b class="late">before: DE</b>',
        "<dt>Address</dt><dd>Mia Muster, Rue du Test 5, Paris, FR",
        "<dt>Before</dt><dd>Mia Muster, Musterweg 7, DE",
        "Answer in BQool",
        f'href="https://sellercentral.amazon.de/orders-v3/order/{ORDER}"',
    ):
        assert shown in page, shown
    assert "Review request" not in page
    without_names = browser("vic").get(f"/tickets/main/{KEY}").text
    assert "before: DE" in without_names
    assert "Mia Muster" not in without_names
    assert "Rue du Test" not in without_names


def test_what_a_pending_order_lacks_is_said(browser: Browser, warehouse: Engine) -> None:
    pending = order(fulfillment={"fulfillmentStatus": "PENDING", "fulfilledBy": "MERCHANT"}, proceeds=None)
    with warehouse.begin() as connection:
        land_some_orders(connection, pending)
        let_pass(connection)
        publish_orders(connection, settings.load())
        land_some_mail(connection, mail("asked", at=moment("2026-03-10 08:00"), order_ids=[ORDER]))
        let_pass(connection)
        publish_mail(connection, settings.load())
        tickets.fold(connection, POLICY)
    assert "<dt>Paid</dt><dd>not yet</dd>" in browser("ana").get(f"/tickets/main/{KEY}").text


def test_requests_for_a_review_stand_beside_feedback_the_latest_first(browser: Browser, warehouse: Engine) -> None:
    other = order_id(9)  # of the same buyer
    told = [
        REVIEW | {"Date": "2026-03-01 09:00:00", "Agent": ""},
        REVIEW | {"Date": "2026-03-05 09:00:00"},
        REVIEW | {"Date": "2026-03-10 13:00:00", "Agent": "Bo"},  # after the page's noon
        REVIEW | {"Date": "2026-03-02 09:00:00", "Order ID": other},
    ]
    with warehouse.begin() as connection:
        land_some_orders(connection, order(), order(other))
        let_pass(connection)
        publish_orders(connection, settings.load())
        land_some_mail(connection, mail("asked", at=moment("2026-03-10 08:00"), order_ids=[ORDER]))
        land_desk_actions(connection, account="main", desk="bqool", read_at=NOON, rows=read(as_csv(*told)).rows)
        let_pass(connection)
        publish_mail(connection, settings.load())
        publish_desk_actions(connection, desk_settings())
        tickets.fold(connection, POLICY)
    asked = browser("vic").get(f"/api/tickets/main/{KEY}").json()
    assert [(each["requested_at"], each["actor"], each["desk"]) for each in asked["review_requests"]] == [
        ("2026-03-05T09:00:00Z", "Ana Lima", "bqool"),
        ("2026-03-01T09:00:00Z", None, "bqool"),
    ]
    assert [each["review_requested_at"] for each in asked["orders"]] == ["2026-03-02T09:00:00Z"]
    page = browser("vic").get(f"/tickets/main/{KEY}").text
    assert re.findall(r"<dt>(Review request|Before)</dt><dd>.*?</time>, (.*?)</dd>", page) == [
        ("Review request", "Ana Lima in bqool"),
        ("Before", "bqool"),
    ]
    assert page.count("review requested ") == 1
    later = browser("vic", NOON + timedelta(hours=2)).get(f"/tickets/main/{KEY}").text
    assert "Bo in bqool" in later
