"""Orders of past years by report: windows, newest first, each landed once whatever happens on the way."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from amazon_shop import DAY, HOUR, MINUTE, NOON, SETTINGS, Shop, hour_before, order, orders, running
from landing import let_pass, order_id
from sqlalchemy import Engine

from amazon_support import settings
from amazon_support.sources.errors import BadCredentials, ComeBackAt, SourceError
from amazon_support.sources.memory import ShortMemory
from amazon_support.sources.order_history import REPORT, plan_history, pull_order_history
from amazon_support.sources.orders import pull_orders
from amazon_support.warehouse import land
from amazon_support.window import Window

Open = Callable[..., AbstractContextManager[Shop]]
TWO_WINDOWS = Window(NOON - 60 * DAY, NOON, live=False)
STOCK = [order(1, NOON - 61 * DAY), order(2, NOON - 59 * DAY), order(3, NOON - 31 * DAY), order(4, NOON - 3 * DAY)]


@pytest.fixture
def open_shop(warehouse: Engine, tmp_path: Path) -> Open:
    return partial(running, warehouse, tmp_path)


@pytest.fixture
def shop(open_shop: Open) -> Iterator[Shop]:
    with open_shop(STOCK) as shop:
        yield shop


def lines(shop: Shop) -> list[str]:
    """Order ids of the lines landed, as often as they were landed."""
    return sorted(shop.column("select order_id from raw.order_report_row"))


def ids(*numbers: int) -> list[str]:
    return [order_id(number) for number in numbers]


# ---------- the plan


@pytest.mark.parametrize(
    ("start", "end", "planned"),
    [
        (NOON - 90 * DAY, NOON - 60 * DAY, [(90, 60)]),
        (NOON - 95 * DAY, NOON - 30 * DAY, [(60, 30), (90, 60), (95, 90)]),
        (NOON - 60 * DAY, NOON - 60 * DAY + HOUR, [(60, 60 - 1 / 24)]),
        (NOON - 760 * DAY, NOON - 700 * DAY, [(729, 700)]),
        (NOON - 760 * DAY, NOON - 730 * DAY, []),
        (NOON + DAY, NOON + 2 * DAY, []),
    ],
    ids=["one window", "newest first", "an hour", "partly too old", "too old", "in the future"],
)
def test_a_span_is_cut_into_windows(start: datetime, end: datetime, planned: list[tuple[float, float]]) -> None:
    assert plan_history(start, end, NOON) == [
        Window(NOON - since * DAY, NOON - until * DAY, live=False) for since, until in planned
    ]


def test_windows_meet_exactly_and_end_two_minutes_back() -> None:
    now = NOON + timedelta(microseconds=900_000)
    windows = plan_history(now - 70 * DAY, now + HOUR, now)
    assert windows[0].end == NOON - 2 * MINUTE
    assert [window.start for window in windows[:-1]] == [window.end for window in windows[1:]]
    assert windows[-1].start == NOON - 70 * DAY
    assert max(window.end - window.start for window in windows) == 30 * DAY


def test_two_years_are_twenty_five_windows() -> None:
    assert len(plan_history(NOON - 1000 * DAY, NOON, NOON)) == 25


# ---------- the pull


def test_every_window_is_landed_once_and_no_watermark_moves(shop: Shop) -> None:
    pulled = shop.pull(pull_order_history, TWO_WINDOWS)
    assert lines(shop) == ids(2, 3, 4)
    assert (pulled.orders, pulled.via, pulled.note) == (3, "report", None)
    assert sorted(shop.column("select batch_id from ops.batch")) == sorted(pulled.batch_ids)
    assert shop.faults.calls["createReport"] == 2
    assert shop.watermark() is None


def test_all_reports_are_ordered_before_the_first_is_waited_for(shop: Shop) -> None:
    memory = ShortMemory()
    with pytest.raises(ComeBackAt):
        shop.attempt(pull_order_history, TWO_WINDOWS, memory)
    assert shop.faults.calls["createReport"] == 2


def test_beyond_the_burst_reports_are_ordered_at_amazons_rate_and_each_once(open_shop: Open) -> None:
    years = [order(number, NOON - number * 30 * DAY + DAY) for number in range(1, 25)]
    with open_shop(years) as shop:
        began = shop.clock.now
        pulled = shop.pull(pull_order_history, Window(NOON - 720 * DAY, NOON, live=False))
        assert len(lines(shop)) == pulled.orders == 24
        assert (shop.faults.calls["createReport"], shop.faults.calls["download"]) == (24, 24)
        assert sum(shop.column("select throttled from ops.api_call")) == 0
        # 15 at once, then one a minute, for ordering and for documents.
        assert 9 * MINUTE <= shop.clock.now - began <= 20 * MINUTE


def test_a_window_without_orders_needs_no_batch(open_shop: Open) -> None:
    with open_shop([order(1, NOON - DAY)]) as shop:
        pulled = shop.pull(pull_order_history, TWO_WINDOWS)
        assert (pulled.orders, len(pulled.batch_ids), pulled.via) == (1, 1, "report")
        assert shop.pulled("order_report") == {"eu": (TWO_WINDOWS.start, TWO_WINDOWS.end)}


def test_what_lies_too_far_back_is_left_out_and_told(open_shop: Open) -> None:
    with open_shop([order(1, NOON - 735 * DAY), order(2, NOON - 720 * DAY)]) as shop:
        pulled = shop.pull(pull_order_history, Window(NOON - 740 * DAY, NOON - 711 * DAY, live=False))
        assert lines(shop) == ids(2)
        assert pulled.note == "Amazon reports two years back only: nothing before 2024-03-11 was asked for"
        nothing = shop.pull(pull_order_history, Window(NOON - 900 * DAY, NOON - 870 * DAY, live=False))
        assert (nothing.via, nothing.batch_ids) == ("nothing", [])
        assert nothing.note


def test_a_failed_window_does_not_hold_up_the_other_and_is_asked_for_again(shop: Shop) -> None:
    # Both windows fail once and are ordered again; then only the newer one fails.
    shop.faults.report(REPORT, "FATAL", reason="Internal problem", times=3)
    memory = ShortMemory()
    with pytest.raises(SourceError, match=r"account shop, region eu.*2026-02-08.*others were landed") as failure:
        shop.pull(pull_order_history, TWO_WINDOWS, memory)
    assert lines(shop) == ids(2, 3)
    assert "Internal problem" in str(failure.value)
    shop.clock.now += 2 * DAY  # a person looked into it
    pulled = shop.pull(pull_order_history, TWO_WINDOWS, memory)
    assert lines(shop) == ids(2, 3, 4)
    assert pulled.orders == 3


def test_bad_credentials_end_the_pull_at_once(shop: Shop) -> None:
    shop.faults.next("createReport", times=2, status=403)  # the second time with a fresh token
    with pytest.raises(BadCredentials):
        shop.pull(pull_order_history, TWO_WINDOWS)
    assert shop.faults.calls["createReport"] == 2


class Killed(BaseException):
    pass


class DyingMemory(ShortMemory):
    """The process dies as it is about to remember something for the nth time, or as soon as it has."""

    def __init__(self, nth: int, *, before: bool) -> None:
        super().__init__()
        self._left, self._before = nth, before

    def set(self, key: str, value: Any) -> None:
        self._left -= 1
        if self._left or not self._before:
            super().set(key, value)
        if self._left == 0:
            raise Killed


@pytest.mark.parametrize(
    ("nth", "before"),
    [(nth, nth % 3 != 0) for nth in range(1, 16)],
)
def test_killed_anywhere_it_goes_on_and_orders_no_report_twice(shop: Shop, nth: int, before: bool) -> None:
    memory = DyingMemory(nth, before=before)
    with pytest.raises(Killed):
        shop.pull(pull_order_history, TWO_WINDOWS, memory)
    pulled = shop.pull(pull_order_history, TWO_WINDOWS, memory)
    assert sorted(set(lines(shop))) == ids(2, 3, 4)
    assert pulled.orders == 3
    assert shop.faults.calls["createReport"] == 2
    assert list(shop.folder.iterdir()) == []


def test_a_pull_that_has_ended_leaves_nothing_in_memory(shop: Shop) -> None:
    kept: dict[str, Any] = {}
    memory = ShortMemory()
    memory._values = kept
    shop.pull(pull_order_history, TWO_WINDOWS, memory)
    assert kept == {}


def test_nothing_is_asked_for_a_disabled_account(shop: Shop) -> None:
    off = settings.Account(name="shop", enabled=False)
    shop.settings = SETTINGS.model_copy(update={"accounts": (off,)})
    pulled = shop.pull(pull_order_history, TWO_WINDOWS)
    assert (pulled.via, pulled.calls) == ("nothing", {})


# ---------- beside the hourly pull


FACTS = "select (to_jsonb(t) - 'batch_id' - 'api_batch_id')::text from core.{} as t order by 1"


def facts(shop: Shop) -> list[str]:
    return [
        row
        for table in ("amazon_order", "amazon_order_item")
        for row in shop.column(
            f"select (to_jsonb(t) - 'batch_id' - 'api_batch_id')::text from core.{table} as t order by 1"
        )
    ]


@pytest.mark.parametrize("history_first", [True, False])
def test_history_and_hourly_pulls_of_the_same_orders_give_the_same_facts(open_shop: Open, history_first: bool) -> None:
    with open_shop(orders(120, NOON - 55 * MINUTE, timedelta(seconds=20))) as shop:
        shop.read_until(NOON - HOUR)
        shop.pull(pull_orders, hour_before(NOON))
        publish(shop)
        by_search = facts(shop)
    assert len(by_search) == 240
    with open_shop(orders(120, NOON - 55 * MINUTE, timedelta(seconds=20))) as shop:
        shop.read_until(NOON - HOUR)
        pulls = [(pull_order_history, TWO_WINDOWS), (pull_orders, hour_before(NOON))]
        for pull, window in pulls if history_first else reversed(pulls):
            shop.pull(pull, window)
            publish(shop)
        assert facts(shop) == by_search


def publish(shop: Shop) -> None:
    with shop.warehouse.begin() as connection:
        let_pass(connection)
        land.publish_orders(connection, shop.settings)
        land.publish_order_report(connection, shop.settings)
