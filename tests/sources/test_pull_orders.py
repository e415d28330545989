"""Changed orders of one account and region: what a pull asks for, how, and what it leaves behind when it is killed."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from amazon_shop import DAY, HOUR, MINUTE, NOON, SETTINGS, Shop, hour_before, order, orders, running
from landing import order_id
from sqlalchemy import Engine, text

from amazon_support import quality, settings
from amazon_support.sources.errors import BadCredentials, ComeBackAt, SourceError
from amazon_support.sources.memory import ShortMemory
from amazon_support.sources.orders import fetch_order, fetch_orders, pull_orders
from amazon_support.sources.rates import PUBLISHED
from amazon_support.warehouse import land

THIS_HOUR = hour_before(NOON)
ALREADY = 10 * MINUTE  # how far before the watermark a pull begins
Open = Callable[..., AbstractContextManager[Shop]]


@pytest.fixture
def open_shop(warehouse: Engine, tmp_path: Path) -> Open:
    return partial(running, warehouse, tmp_path)


@pytest.fixture
def busy(open_shop: Open) -> Iterator[Shop]:
    """250 orders changed in the last hour: three pages."""
    with open_shop(orders(250, NOON - 50 * MINUTE, timedelta(seconds=10))) as shop:
        shop.read_until(NOON - HOUR)
        yield shop


def ids(numbers: range) -> list[str]:
    return [order_id(number) for number in numbers]


def in_report(shop: Shop) -> list[str]:
    return sorted(set(shop.column("select order_id from raw.order_report_row")))


# ---------- what is asked for


def test_a_live_pull_goes_on_at_the_watermark_with_an_overlap(open_shop: Open) -> None:
    mark = NOON - 3 * HOUR
    stock = [
        order(1, mark - ALREADY - MINUTE),
        order(2, mark - ALREADY + MINUTE),
        order(3, mark + MINUTE),
        order(4, NOON - MINUTE),
        order(5, NOON + MINUTE),
    ]
    with open_shop(stock) as shop:
        shop.read_until(mark)
        pulled = shop.pull(pull_orders, THIS_HOUR)
        assert shop.searched() == ids(range(2, 5))
        assert (pulled.orders, pulled.via, pulled.note) == (3, "search", None)
        assert pulled.calls == {"searchOrders": 1}
        assert shop.column("select batch_id from ops.batch") == pulled.batch_ids
        assert shop.watermark() == NOON
        assert shop.pulled("orders") == {"eu": (mark - ALREADY, NOON)}


def test_a_past_interval_pulls_its_own_span_and_moves_no_watermark(open_shop: Open) -> None:
    end = NOON - 2 * DAY
    with open_shop([order(1, end - 2 * HOUR), order(2, end - HOUR - MINUTE), order(3, end), order(4, NOON)]) as shop:
        shop.pull(pull_orders, hour_before(end, live=False))
        assert shop.searched() == ids(range(2, 4))
        assert shop.watermark() is None


def test_the_upper_bound_keeps_amazons_distance_of_two_minutes(open_shop: Open) -> None:
    with open_shop([order(1, NOON - MINUTE), order(2, NOON - 3 * MINUTE)], now=NOON) as shop:
        shop.read_until(NOON - HOUR)
        shop.pull(pull_orders, THIS_HOUR)
        assert shop.searched() == [order_id(2)]
        assert shop.watermark() == NOON - 2 * MINUTE


def test_a_watermark_never_moves_backwards(open_shop: Open) -> None:
    with open_shop([order(1, NOON - MINUTE)]) as shop:
        shop.read_until(NOON - 5 * MINUTE)
        shop.drain()
        usual_changes(shop, 400_000)
        assert shop.pull(pull_orders, THIS_HOUR).via == "report"  # which is sure until 25 minutes before
        assert shop.watermark() == NOON - 5 * MINUTE
        assert shop.pull(pull_orders, hour_before(NOON - HOUR)).via == "nothing"
        assert shop.watermark() == NOON - 5 * MINUTE


@pytest.mark.parametrize("change", ["disabled", "deleted"])
def test_a_marketplace_out_of_use_is_not_asked_for(open_shop: Open, change: str) -> None:
    off = settings.Account.model_validate({"name": "shop", "marketplaces": {"FR": change}})
    with open_shop([order(1, NOON - HOUR, "DE"), order(2, NOON - HOUR, "FR")]) as shop:
        shop.settings = SETTINGS.model_copy(update={"accounts": (off,)})
        shop.read_until(NOON - HOUR)
        shop.pull(pull_orders, THIS_HOUR)
        assert shop.searched() == [order_id(1)]


def test_a_disabled_account_is_not_asked_for_and_keeps_its_watermark(open_shop: Open) -> None:
    with open_shop([order(1, NOON - HOUR)]) as shop:
        shop.settings = SETTINGS.model_copy(update={"accounts": (settings.Account(name="shop", enabled=False),)})
        shop.read_until(NOON - HOUR)
        pulled = shop.pull(pull_orders, THIS_HOUR)
        assert (pulled.via, pulled.calls) == ("nothing", {})
        assert shop.watermark() == NOON - HOUR


# ---------- search or report


def test_the_first_pull_searches_sixty_days_and_the_next_only_what_changed(open_shop: Open) -> None:
    stock = [
        order(1, NOON - 61 * DAY),
        order(2, NOON - 59 * DAY),
        order(3, NOON - 20 * DAY),
        order(4, NOON - HOUR),
        order(5, NOON + 50 * MINUTE),
    ]
    with open_shop(stock) as shop:
        pulled = shop.pull(pull_orders, THIS_HOUR)
        assert shop.searched() == ids(range(2, 5))
        assert (pulled.orders, pulled.via, pulled.note) == (3, "search", None)
        assert shop.watermark() == NOON
        shop.clock.now = NOON + HOUR + 5 * MINUTE
        assert shop.pull(pull_orders, hour_before(NOON + HOUR)).orders == 1
        assert shop.searched() == ids(range(2, 6))
        assert shop.watermark() == NOON + HOUR


def test_a_first_pull_of_more_than_searching_can_carry_ends_by_report(open_shop: Open) -> None:
    with open_shop(orders(2_500, NOON - 50 * DAY, 25 * MINUTE)) as shop:
        pulled = shop.pull(pull_orders, THIS_HOUR)
        assert pulled.via == "report"
        assert PUBLISHED["searchOrders"].burst < shop.faults.calls["searchOrders"] < 25
        assert in_report(shop) == ids(range(1, 2_501))
        # A report made at 12:05 may lack what changed since 11:35.
        assert shop.watermark() == NOON - 25 * MINUTE


def usual_changes(shop: Shop, count: int, region: str = "eu") -> None:
    """That many orders changed in the seven days before this hour."""
    with shop.warehouse.begin() as connection:
        connection.execute(
            text(
                "insert into core.amazon_order (account, order_id, region, last_updated_at) "
                "select 'shop', 'o' || n, :region, :noon - interval '2 hours' - n * interval '6 days' / :count "
                "from generate_series(1, :count) as n"
            ),
            {"count": count, "region": region, "noon": NOON},
        )


@pytest.mark.parametrize(
    ("usual", "region", "way"),
    [(40_000, "eu", "search"), (48_000, "eu", "report"), (48_000, "na", "search")],
    ids=["278 expected", "334 expected", "the changes of another region"],
)
def test_more_changes_than_searching_can_carry_go_by_report(
    open_shop: Open, caplog: pytest.LogCaptureFixture, usual: int, region: str, way: str
) -> None:
    caplog.set_level("INFO")
    with open_shop([order(1, NOON - 30 * MINUTE)]) as shop:
        shop.read_until(NOON - HOUR)
        shop.drain()  # three more calls within ten minutes
        usual_changes(shop, usual, region)
        pulled = shop.pull(pull_orders, THIS_HOUR)
        assert pulled.via == way
        if way == "report":
            assert pulled.note == (
                "more than 300 changed orders expected (334), 3 calls of searchOrders affordable within 10 minutes: "
                "using the all-orders report"
            )
            assert "account shop, region eu" in caplog.text
            assert pulled.note in caplog.text
            assert in_report(shop) == [order_id(1)]
            assert "searchOrders" not in pulled.calls


def test_a_chain_that_turns_out_too_long_goes_over_to_the_report(open_shop: Open) -> None:
    with open_shop(orders(450, NOON - 50 * MINUTE)) as shop:
        shop.read_until(NOON - HOUR)
        shop.drain()
        pulled = shop.pull(pull_orders, THIS_HOUR)
        assert len(shop.searched()) == 300
        assert in_report(shop) == ids(range(1, 451))
        assert (pulled.via, pulled.orders, len(pulled.batch_ids)) == ("report", 750, 4)
        assert pulled.note and pulled.note.startswith("more than 300 changed orders found")
        assert shop.faults.calls["searchOrders"] == 3
        assert shop.watermark() == NOON - 25 * MINUTE


def test_without_a_limiter_the_published_burst_is_affordable(open_shop: Open, warehouse: Engine) -> None:
    with open_shop([order(1, NOON - MINUTE)]) as shop:
        shop.read_until(NOON - HOUR)
        usual_changes(shop, 200_000)
        client = shop.client(ShortMemory())
        client.limiter = None
        pulled = pull_orders(
            warehouse, client, SETTINGS, THIS_HOUR, memory=ShortMemory(), folder=shop.folder, now=shop.clock.now
        )
        assert pulled.via == "search"


# ---------- interrupted


def test_a_chain_sent_away_to_wait_goes_on_with_the_next_page(busy: Shop) -> None:
    busy.drain()
    began = busy.clock.now
    pulled = busy.pull(pull_orders, THIS_HOUR)
    assert busy.clock.now - began > 5 * MINUTE
    assert busy.faults.calls["searchOrders"] == 3
    assert busy.searched() == ids(range(1, 251))
    assert (pulled.orders, len(pulled.batch_ids)) == (250, 3)
    assert busy.watermark() == NOON


def test_the_span_stays_however_late_the_pull_comes_back(busy: Shop) -> None:
    busy.clock.now = NOON
    busy.drain()
    memory = ShortMemory()
    with pytest.raises(ComeBackAt):
        busy.attempt(pull_orders, THIS_HOUR, memory)
    busy.read_until(NOON - 30 * MINUTE)  # another run has been here
    busy.clock.now = NOON + 2 * HOUR
    busy.pull(pull_orders, THIS_HOUR, memory)
    assert busy.searched() == ids(range(1, 251))
    assert busy.watermark() == NOON - 2 * MINUTE


def test_an_attempt_after_a_failure_goes_on_with_the_next_page(busy: Shop) -> None:
    busy.faults.next("searchOrders", after=1, times=2, status=403)  # the second time with a fresh token
    memory = ShortMemory()
    with pytest.raises(BadCredentials):
        busy.attempt(pull_orders, THIS_HOUR, memory)
    assert len(busy.searched()) == 100
    assert busy.watermark() == NOON - HOUR
    assert busy.pulled("orders") == {}
    pulled = busy.pull(pull_orders, THIS_HOUR, memory)
    assert busy.searched() == ids(range(1, 251))
    assert busy.faults.calls["searchOrders"] == 5
    assert (pulled.orders, len(pulled.batch_ids)) == (250, 3)


class Killed(BaseException):
    pass


class DyingMemory(ShortMemory):
    """The process dies as it is about to remember the pull's progress for the nth time."""

    def __init__(self, nth: int) -> None:
        super().__init__()
        self._left = nth

    def set(self, key: str, value: Any) -> None:
        self._left -= key == "orders"
        if self._left == 0:
            raise Killed
        super().set(key, value)


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_killed_between_landing_and_remembering_nothing_is_lost_and_nothing_doubled(busy: Shop, nth: int) -> None:
    memory = DyingMemory(nth)
    with pytest.raises(Killed):
        busy.attempt(pull_orders, THIS_HOUR, memory)
    assert busy.watermark() == NOON - HOUR
    busy.pull(pull_orders, THIS_HOUR, memory)
    assert sorted(set(busy.searched())) == ids(range(1, 251))
    assert len(busy.searched()) == (250 if nth == 1 else 350)  # the page that nobody remembered came twice
    publish(busy)
    assert sorted(busy.column("select order_id from core.amazon_order")) == ids(range(1, 251))
    assert len(busy.column("select order_id from core.amazon_order_item")) == 250


def publish(shop: Shop) -> None:
    with shop.warehouse.begin() as connection:
        connection.execute(text("update ops.batch set checked_at = now() where checked_at is null"))
        land.publish_orders(connection, shop.settings)


def test_an_expired_token_begins_the_same_span_anew(busy: Shop) -> None:
    busy.faults.next("searchOrders", expire_page_token=True)
    pulled = busy.pull(pull_orders, THIS_HOUR)
    assert sorted(set(busy.searched())) == ids(range(1, 251))
    assert pulled.via == "search"
    assert busy.faults.calls["searchOrders"] == 5
    assert busy.watermark() == NOON


def test_a_second_expired_token_is_an_error_and_the_next_attempt_begins_anew(busy: Shop) -> None:
    busy.faults.next("searchOrders", times=2, expire_page_token=True)
    memory = ShortMemory()
    with pytest.raises(SourceError, match="account shop, region eu.*Run the task again"):
        busy.pull(pull_orders, THIS_HOUR, memory)
    assert busy.watermark() == NOON - HOUR
    busy.pull(pull_orders, THIS_HOUR, memory)
    assert sorted(set(busy.searched())) == ids(range(1, 251))


def test_a_pull_that_has_ended_leaves_nothing_in_memory(busy: Shop) -> None:
    memory = ShortMemory()
    busy.pull(pull_orders, THIS_HOUR, memory)
    assert memory.get("orders") is None


# ---------- bad input


def test_an_order_without_items_is_set_aside_and_the_rest_goes_on(open_shop: Open) -> None:
    with open_shop([order(1, NOON - MINUTE), order(2, NOON - MINUTE, orderItems=[])]) as shop:
        shop.read_until(NOON - HOUR)
        shop.pull(pull_orders, THIS_HOUR)
        quality.check(shop.warehouse, "orders", shop.settings, as_of=NOON)
        with shop.warehouse.begin() as connection:
            land.publish_orders(connection, shop.settings)
        assert shop.column("select row_key || ' ' || rule from ops.quarantine") == [f"{order_id(2)} has_items"]
        assert shop.column("select order_id from core.amazon_order") == [order_id(1)]


# ---------- by hand


def test_orders_can_be_fetched_without_a_warehouse(busy: Shop) -> None:
    client = busy.client(ShortMemory())
    client.limiter = None
    fetched = list(fetch_orders(client, SETTINGS, "shop", NOON - 50 * MINUTE, NOON + DAY))
    assert [found["orderId"] for found in fetched] == ids(range(1, 251))
    assert fetch_order(client, order_id(7))["orderId"] == order_id(7)


def test_a_span_that_ended_before_it_began_fetches_nothing(busy: Shop) -> None:
    client = busy.client(ShortMemory())
    assert list(fetch_orders(client, SETTINGS, "shop", NOON + DAY, NOON + 2 * DAY)) == []
    assert client.calls == {}
