"""Orders that mail names and nobody has seen: asked for one by one, and not for ever."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from amazon_shop import DAY, HOUR, MINUTE, NOON, SETTINGS, Shop, hour_before, order, running
from landing import let_pass, order_id
from sqlalchemy import Engine, text

from amazon_support import settings
from amazon_support.sources.errors import BadCredentials, ComeBackAt, Unavailable
from amazon_support.sources.memory import ShortMemory
from amazon_support.sources.missing_orders import accounts_with_missing_orders, pull_missing_orders
from amazon_support.warehouse import land

Open = Callable[..., AbstractContextManager[Shop]]
THIS_HOUR = hour_before(NOON)


@pytest.fixture
def open_shop(warehouse: Engine, tmp_path: Path) -> Open:
    return partial(running, warehouse, tmp_path)


@pytest.fixture
def shop(open_shop: Open) -> Iterator[Shop]:
    """Amazon knows the orders 1 to 240."""
    with open_shop([order(number, NOON - DAY) for number in range(1, 241)]) as shop:
        yield shop


def name(shop: Shop, *numbers: int, account: str = "shop", region: str = "eu", country: str = "DE") -> None:
    """A mail named the orders."""
    with shop.warehouse.begin() as connection:
        connection.execute(
            text(
                "insert into core.amazon_order (account, order_id, region, marketplace, is_placeholder) "
                "select :account, order_id, :region, :country, true from unnest(cast(:ids as text[])) as t (order_id)"
            ),
            {"account": account, "region": region, "country": country, "ids": [order_id(n) for n in numbers]},
        )


def ids(*numbers: int) -> list[str]:
    return [order_id(number) for number in numbers]


def asked(shop: Shop) -> int:
    return shop.faults.calls["getOrder"]


def test_only_accounts_with_orders_to_ask_for_are_named(shop: Shop) -> None:
    assert accounts_with_missing_orders(shop.warehouse, now=NOON) == set()
    name(shop, 1, 999)
    name(shop, 1, account="other")
    assert accounts_with_missing_orders(shop.warehouse, now=NOON) == {"shop", "other"}
    shop.pull(pull_missing_orders, THIS_HOUR)
    assert accounts_with_missing_orders(shop.warehouse, now=shop.clock.now) == {"other"}
    assert accounts_with_missing_orders(shop.warehouse, now=shop.clock.now + DAY) == {"shop", "other"}


def test_placeholders_become_orders(shop: Shop) -> None:
    name(shop, 1, 2)
    pulled = shop.pull(pull_missing_orders, THIS_HOUR)
    assert (pulled.orders, pulled.calls) == (2, {"getOrder": 2})
    assert shop.column("select batch_id from ops.batch where dataset = 'orders'") == pulled.batch_ids
    with shop.warehouse.begin() as connection:
        let_pass(connection)
        land.publish_orders(connection, shop.settings)
    assert shop.column("select status from core.amazon_order where not is_placeholder") == ["UNSHIPPED"] * 2
    assert shop.pull(pull_missing_orders, THIS_HOUR).via == "nothing"


def test_an_order_that_came_is_not_asked_for_again_before_it_is_published(shop: Shop) -> None:
    name(shop, 1)
    shop.pull(pull_missing_orders, THIS_HOUR)
    assert shop.pull(pull_missing_orders, THIS_HOUR).calls == {}


def test_an_order_pulled_for_a_past_hour_is_as_amazon_tells_it_now(shop: Shop) -> None:
    name(shop, 1)
    shop.pull(pull_missing_orders, hour_before(NOON - 90 * DAY, live=False))
    # The checks compare an order's times with the end of its batch's window.
    assert shop.column("select window_end from ops.batch") == [shop.clock.now]


def test_only_the_accounts_own_placeholders_in_marketplaces_in_use_are_asked_for(shop: Shop) -> None:
    name(shop, 1)
    name(shop, 2, account="other")
    name(shop, 3, region="na", country="US")
    name(shop, 4, country="FR")
    account = settings.Account.model_validate({"name": "shop", "marketplaces": {"FR": "disabled"}})
    shop.settings = SETTINGS.model_copy(update={"accounts": (account,)})
    shop.pull(pull_missing_orders, THIS_HOUR)
    assert shop.searched() == ids(1)
    assert asked(shop) == 1


def test_orders_of_a_disabled_account_are_not_asked_for(shop: Shop) -> None:
    name(shop, 1)
    shop.settings = SETTINGS.model_copy(update={"accounts": (settings.Account(name="shop", enabled=False),)})
    pulled = shop.pull(pull_missing_orders, THIS_HOUR)
    assert (pulled.via, pulled.calls) == ("nothing", {})


def test_an_order_that_amazon_does_not_know_is_asked_for_ever_more_rarely_and_then_no_more(shop: Shop) -> None:
    name(shop, 999)
    waits = [HOUR, 6 * HOUR, DAY, 3 * DAY, 7 * DAY]
    for attempt, wait in enumerate(waits, start=1):
        shop.pull(pull_missing_orders, THIS_HOUR)
        assert asked(shop) == attempt
        assert shop.column("select outcome from ops.order_lookup") == ["not_found"]
        shop.clock.now += wait - MINUTE
        shop.pull(pull_missing_orders, THIS_HOUR)
        assert asked(shop) == attempt
        shop.clock.now += 2 * MINUTE
    shop.pull(pull_missing_orders, THIS_HOUR)
    assert asked(shop) == 6
    shop.clock.now += 365 * DAY
    shop.pull(pull_missing_orders, THIS_HOUR)
    assert asked(shop) == 6
    assert shop.column("select next_at from ops.order_lookup") == [None]


def test_a_run_asks_for_a_limited_number_never_asked_for_first(shop: Shop) -> None:
    name(shop, *range(1, 211), 999)
    first = shop.pull(pull_missing_orders, THIS_HOUR)
    assert (first.orders, asked(shop)) == (200, 200)
    assert len(first.batch_ids) == 8
    shop.clock.now += 2 * HOUR
    name(shop, 230)
    shop.pull(pull_missing_orders, THIS_HOUR)
    assert set(ids(*range(201, 211), 230)) <= set(shop.searched())


def test_a_pull_sent_away_to_wait_keeps_what_came_and_goes_on(shop: Shop) -> None:
    name(shop, *range(1, 101))
    shop.drain("getOrder")
    memory = ShortMemory()
    began = shop.clock.now
    pulled = shop.pull(pull_missing_orders, THIS_HOUR, memory)
    assert shop.searched() == ids(*range(1, 101))
    assert asked(shop) == 100
    assert pulled.orders == 100
    assert shop.clock.now - began >= 99 * timedelta(seconds=2)
    assert memory.get("missing_orders") is None


def test_what_came_before_a_long_wait_is_landed_at_once(open_shop: Open) -> None:
    with open_shop([order(1, NOON - DAY), order(2, NOON - DAY)], rate_factor=0.01) as shop:
        name(shop, 1, 2)
        with pytest.raises(ComeBackAt):
            shop.attempt(pull_missing_orders, THIS_HOUR, ShortMemory())
        assert shop.searched() == ids(1)


def test_an_order_on_which_amazon_fails_does_not_keep_us_from_the_others(shop: Shop) -> None:
    name(shop, 1, 2, 3)
    shop.faults.next("getOrder", times=4, status=503)
    with pytest.raises(Unavailable):
        shop.attempt(pull_missing_orders, THIS_HOUR, ShortMemory())
    shop.pull(pull_missing_orders, THIS_HOUR)
    assert shop.searched() == ids(2, 3)
    assert shop.column("select outcome from ops.order_lookup order by order_id") == ["no_answer", "found", "found"]


def test_an_order_that_amazon_refuses_is_passed_over(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    name(shop, 1, 2)
    shop.faults.next("getOrder", status=400)
    shop.pull(pull_missing_orders, THIS_HOUR)
    assert shop.searched() == ids(2)
    assert shop.column("select outcome from ops.order_lookup order by order_id") == ["refused", "found"]
    assert order_id(1) in caplog.text


def test_revoked_credentials_cost_no_order_an_attempt(shop: Shop) -> None:
    name(shop, 1, 2)
    shop.faults.next("getOrder", after=1, times=2, status=403)  # the second time with a fresh token
    with pytest.raises(BadCredentials):
        shop.pull(pull_missing_orders, THIS_HOUR)
    assert shop.searched() == ids(1)
    assert shop.column("select order_id from ops.order_lookup") == ids(1)
