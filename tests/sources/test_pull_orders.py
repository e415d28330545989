"""Orders changed since the last pull, through the real client, from a stand-in that speaks Amazon's protocol."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from amazon_support import settings
from amazon_support.settings import Settings
from amazon_support.sources.amazon import AmazonClient, Credentials
from amazon_support.sources.orders import pull_orders
from amazon_support.window import Window
from sandbox.amazon import TOKEN_PATH, create_app
from sandbox.http import serve
from sandbox.world import Seller, World, generate

NOW = datetime.now(UTC)  # the stand-in checks tokens against the real clock
HOUR = timedelta(hours=1)
END = NOW.replace(minute=0, second=0, microsecond=0) - 3 * HOUR
SELLER = Seller("shop", "eu", ("DE", "FR"), "id", "secret", "Atzr|shop-eu", "ASHOP")


@pytest.fixture(scope="module")
def world() -> World:
    return generate(seed=3, until=END, days=20, sellers=[SELLER], orders_per_day=12)


@pytest.fixture(scope="module")
def amazon(world: World) -> Iterator[str]:
    with serve(create_app(world, rate_factor=1000)) as url:
        yield url


@pytest.fixture
def client(amazon: str) -> AmazonClient:
    return AmazonClient(
        Credentials("amazon_shop_eu", "shop", "eu", "id", "secret", "Atzr|shop-eu", amazon, amazon + TOKEN_PATH)
    )


@pytest.fixture
def shop() -> Settings:
    shipped = settings.load()
    return shipped.model_copy(update={"accounts": (settings.Account(name="shop"),)})


def landed(warehouse: Engine) -> set[str]:
    with warehouse.connect() as connection:
        return set(connection.execute(text("select order_id from raw.order_received")).scalars())


def test_the_first_pull_takes_everything_and_the_next_only_what_changed(
    warehouse: Engine, client: AmazonClient, shop: Settings, world: World
) -> None:
    first = pull_orders(warehouse, client, shop, Window(END - HOUR, END, live=True), now=NOW)
    assert landed(warehouse) == {order["orderId"] for order in world.orders["shop", "eu"]}
    assert first.orders == 240
    assert first.calls == {"searchOrders": 3}
    later = pull_orders(warehouse, client, shop, Window(END, END + HOUR, live=True), now=NOW)
    since = END - timedelta(minutes=10)
    changed = [o for o in world.orders["shop", "eu"] if datetime.fromisoformat(o["lastUpdatedTime"]) >= since]
    assert later.orders == len(changed)


def test_a_past_interval_pulls_its_own_span_and_moves_no_position(
    warehouse: Engine, client: AmazonClient, shop: Settings, world: World
) -> None:
    day = Window(END - timedelta(days=3), END - timedelta(days=2), live=False)
    pull_orders(warehouse, client, shop, day, now=NOW)
    expected = {
        order["orderId"]
        for order in world.orders["shop", "eu"]
        if day.start - timedelta(minutes=10) <= datetime.fromisoformat(order["lastUpdatedTime"]) <= day.end
    }
    assert landed(warehouse) == expected
    with warehouse.connect() as connection:
        assert connection.execute(text("select count(*) from ops.watermark")).scalar() == 0


def test_the_upper_bound_keeps_amazons_distance_of_two_minutes(
    warehouse: Engine, client: AmazonClient, shop: Settings
) -> None:
    pull_orders(warehouse, client, shop, Window(NOW - HOUR, NOW, live=True), now=NOW)
    with warehouse.connect() as connection:
        position = connection.execute(text("select position ->> 'updated_before' from ops.watermark")).scalar_one()
    assert datetime.fromisoformat(position) == NOW - timedelta(minutes=2)


def test_nothing_is_asked_for_where_all_marketplaces_are_disabled(
    warehouse: Engine, client: AmazonClient, shop: Settings
) -> None:
    off = settings.Account(name="shop", disabled_marketplaces=tuple(m.country for m in shop.marketplaces))
    closed = shop.model_copy(update={"accounts": (off,)})
    pulled = pull_orders(warehouse, client, closed, Window(END - HOUR, END, live=True), now=NOW)
    assert (pulled.orders, pulled.calls) == (0, {})
