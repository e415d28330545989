"""The order beside a ticket: what was paid, given back, and where it goes, also where it was to go before."""

from landing import NOON, ORDER, iso, land_some_mail, land_some_orders, let_pass, mail, order
from sqlalchemy import Engine
from ticket_histories import KEY, POLICY, moment
from visitors import Browser

from amazon_support import settings, tickets
from amazon_support.warehouse.land import publish_mail, publish_orders

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
