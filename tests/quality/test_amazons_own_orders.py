"""The orders of Amazon's own sandbox go the whole way: asked for by the client, landed, checked, published."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from landing import everything_in, land_some_orders, rows
from sqlalchemy import Connection, Engine

from amazon_support import settings
from amazon_support.quality import check
from amazon_support.sources.amazon import AmazonClient, Credentials
from amazon_support.warehouse import land
from amazon_support.window import Window
from sandbox.amazon import TOKEN_PATH, create_app
from sandbox.http import serve
from sandbox.world import Seller, World

# Source: amzn/selling-partner-api-models, orders_2026-01-01, static sandbox responses.
MODEL = settings.home() / "include/sandbox/spapi_models/orders_2026-01-01.json"
AS_OF = datetime(2024, 12, 25, 12, tzinfo=UTC)
WINDOW = Window(AS_OF - timedelta(hours=1), AS_OF, live=True)


def sandbox_orders() -> list[dict[str, Any]]:
    operations = json.loads(MODEL.read_text())["paths"]["/orders/2026-01-01/orders"]
    examples = operations["get"]["responses"]["200"]["x-amzn-api-sandbox"]["static"]
    return [order for example in examples for order in example["response"]["orders"]]


def test_the_client_brings_the_japanese_order_as_amazon_wrote_it(warehouse: Engine) -> None:
    """Through everything: the real client over HTTP, and every step to the facts."""
    seller = Seller("shop", "fe", ("JP",), "id", "secret", "Atzr|own-orders", "ASHOP")
    app = create_app(World((seller,), {("shop", "fe"): []}, []), static_sandbox=True)
    with serve(app) as url:
        access = Credentials("c", "shop", "fe", "id", "secret", "Atzr|own-orders", url, url + TOKEN_PATH)
        pages = AmazonClient(access).search_orders(
            ["A1VC38T7YXB528"], after=datetime(2024, 12, 25, tzinfo=UTC), by="created"
        )
        orders = next(pages).orders  # the sandbox gives this page again and again
    with warehouse.begin() as connection:
        land.land_orders(connection, account="shop", region="fe", window=WINDOW, orders=orders)
    check(warehouse, "orders", settings.load(), as_of=AS_OF)
    with warehouse.begin() as connection:
        land.publish_orders(connection, settings.load())
        assert rows(
            connection, "select order_id, marketplace, status, total_amount, currency from core.amazon_order"
        ) == [("250-1234567-8901234", "JP", "SHIPPED", Decimal("19940"), "JPY")]
        assert rows(
            connection, "select sku, title, quantity, amount from core.amazon_order_item order by position"
        ) == [
            (
                "ECHO-DOT-4-JP-CHARCOAL",
                "Echo Dot (第4世代) スマートスピーカー with Alexa チャコール",
                1,
                Decimal("5980"),
            ),
            ("FIRE-TV-4K-MAX-JP", "Fire TV Stick 4K Max ストリーミングデバイス", 2, Decimal("13960")),
        ]
        assert rows(connection, "select buyer_name, buyer_alias from pii.order_contact") == [
            ("John Smith", "buyer-email@marketplace.amazon.co.jp")
        ]


@pytest.fixture
def facts(warehouse: Engine) -> Connection:
    with warehouse.begin() as connection:
        land_some_orders(connection, *sandbox_orders(), window=WINDOW)
    [verdict] = check(warehouse, "orders", settings.load(), as_of=AS_OF)
    assert (verdict.rows, verdict.broken_rules) == (3, {})
    with warehouse.begin() as connection:
        assert land.publish_orders(connection, settings.load()) == 1
        yield connection


def test_orders_become_facts(facts: Connection) -> None:
    assert rows(
        facts,
        "select order_id, marketplace, status, fulfilled_by, ship_country, ordered_at, ship_by_at, shipped_at, "
        "total_amount, currency from core.amazon_order order by order_id",
    ) == [
        (
            "171-2345678-9012345",
            "BR",
            "UNSHIPPED",
            "MERCHANT",
            "BR",
            datetime(2024, 12, 22, 15, 30, tzinfo=UTC),
            datetime(2024, 12, 24, 23, 59, 59, tzinfo=UTC),
            None,
            Decimal("1599.90"),
            "BRL",
        ),
        (
            "202-7654321-1098765",
            "UK",
            "SHIPPED",
            "MERCHANT",
            "GB",
            datetime(2024, 12, 24, 14, 20, tzinfo=UTC),
            datetime(2024, 12, 25, 23, 59, 59, tzinfo=UTC),
            datetime(2024, 12, 25, 14, 0, tzinfo=UTC),
            Decimal("34.99"),
            "GBP",
        ),
        (
            "250-1234567-8901234",
            "JP",
            "SHIPPED",
            "AMAZON",
            "JP",
            datetime(2024, 12, 25, 2, 30, tzinfo=UTC),
            datetime(2024, 12, 25, 23, 59, 59, tzinfo=UTC),
            None,
            Decimal("19940"),
            "JPY",
        ),
    ]


def test_items_become_facts(facts: Connection) -> None:
    assert rows(
        facts,
        "select position, asin, sku, title, quantity, amount, promotion_ids, currency "
        "from core.amazon_order_item where order_id = '250-1234567-8901234' order by position",
    ) == [
        (
            1,
            "B08C1W5N87",
            "ECHO-DOT-4-JP-CHARCOAL",
            "Echo Dot (第4世代) スマートスピーカー with Alexa チャコール",
            1,
            Decimal("5980"),
            ["JP-WINTER-SALE-2024"],
            "JPY",
        ),
        (
            2,
            "B07PFFMP9P",
            "FIRE-TV-4K-MAX-JP",
            "Fire TV Stick 4K Max ストリーミングデバイス",
            2,
            Decimal("13960"),
            [],
            "JPY",
        ),
    ]


def test_what_was_shipped_becomes_facts(facts: Connection) -> None:
    assert rows(
        facts,
        "select order_item_id, sku, quantity, quantity_shipped, condition from core.amazon_order_item_progress "
        "where order_id = '250-1234567-8901234' order by 1",
    ) == [
        ("25012345678901", "ECHO-DOT-4-JP-CHARCOAL", 1, 1, "NEW"),
        ("25012345678902", "FIRE-TV-4K-MAX-JP", 2, 2, "NEW"),
    ]
    assert rows(
        facts,
        "select order_id, package_id, status, detailed_status, carrier, service, tracking_number, shipped_at "
        "from core.amazon_order_package",
    ) == [
        (
            "202-7654321-1098765",
            "UK-PKG-CONSUMER-2024-002",
            "IN_TRANSIT",
            "OUT_FOR_DELIVERY",
            "DPD",
            "DPD Next Day Delivery",
            "15501234567890123456",
            datetime(2024, 12, 25, 14, tzinfo=UTC),
        )
    ]


def test_buyers_are_known_apart(facts: Connection) -> None:
    assert rows(
        facts,
        "select buyer_name, buyer_alias, recipient #>> '{deliveryAddress, city}' from pii.order_contact "
        "order by order_id",
    ) == [
        ("Carlos Oliveira", "buyer-email@marketplace.amazon.com.br", "São Paulo"),
        ("Sarah Thompson", "buyer-email@marketplace.amazon.co.uk", "London"),
        ("John Smith", "buyer-email@marketplace.amazon.co.jp", "Tokyo"),
    ]


def test_personal_data_is_nowhere_else(facts: Connection) -> None:
    outside = everything_in(facts, "raw", "core", "ops", "mart")
    buyers = [
        value
        for order in sandbox_orders()
        for part in (order["buyer"], order["recipient"]["deliveryAddress"])
        for key, value in part.items()
        if isinstance(value, str) and value and key not in ("countryCode", "addressType", "stateOrRegion")
    ]
    assert len(buyers) > 20
    assert [value for value in buyers if value in outside] == []
    assert "01.027.058/0001-91" not in outside
