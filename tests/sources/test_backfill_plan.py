"""What `backfill plan` says beforehand, beside the calls that a stand-in for Amazon then counts."""

import heapq
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from amazon_shop import DAY, HOUR, MARKETPLACES, MINUTE, NOON, SETTINGS, Shop, orders, running
from landing import BUYER_KEY, order_id
from sqlalchemy import Engine, text

from amazon_support.backfill_plan import Cost, Place, plan, runs
from amazon_support.mail.archive import Archive
from amazon_support.settings import Account, AccountMarketplace
from amazon_support.sources import mail_landing
from amazon_support.sources.account_health import pull_account_health
from amazon_support.sources.errors import ComeBackAt
from amazon_support.sources.feedback import pull_feedback
from amazon_support.sources.mail_landing import Arrived
from amazon_support.sources.mail_reread import reread
from amazon_support.sources.memory import ShortMemory
from amazon_support.sources.missing_orders import pull_missing_orders
from amazon_support.sources.order_history import pull_order_history
from amazon_support.sources.orders import pull_orders
from amazon_support.sources.rates import PUBLISHED
from amazon_support.window import Window
from sandbox.amazon_feedback import Feedback

LAST_WEEK = NOON - 7 * DAY


def backfill(shop: Shop, dag: str, span: Window, *pulls: Callable[..., Any]) -> datetime:
    """Pulls of all runs begin at once; what must wait comes back at its moment, each time in a new process.

    Returns: when the last one ended.
    """
    waiting = [(shop.clock.now, n) for n in range(len(pulls) * len(runs(dag, span)))]
    memories = [ShortMemory() for _ in waiting]
    while waiting:
        moment, n = heapq.heappop(waiting)
        shop.clock.now = max(shop.clock.now, moment)
        try:
            shop.attempt(pulls[n % len(pulls)], runs(dag, span)[n // len(pulls)], memories[n])
        except ComeBackAt as wait:
            heapq.heappush(waiting, (wait.moment, n))
    return shop.clock.now


def estimate(shop: Shop, dag: str, span: Window) -> Cost:
    with shop.warehouse.connect() as connection:
        return plan(connection, shop.settings, dag, span, ["shop"], now=shop.clock.now)


def in_eu(cost: Cost) -> Place:
    [place] = [place for place in cost.places if place.region == "eu"]
    return place


def planned(place: Place) -> dict[str, int]:
    return {operation: number for operation, number in place.calls.items() if number}


def counted(shop: Shop) -> dict[str, int]:
    """Calls that the stand-in answered."""
    return {operation: number for operation in PUBLISHED if (number := shop.faults.calls[operation])}


def brought_before(shop: Shop, lines_a_day: int) -> None:
    """An order report of an earlier day had so many lines."""
    with shop.warehouse.begin() as connection:
        connection.execute(
            text(
                "insert into ops.batch (dataset, account, scope, window_start, window_end, row_count) "
                "values ('order_report', 'shop', 'eu', :start, :end, :lines)"
            ),
            {"start": LAST_WEEK - DAY, "end": LAST_WEEK, "lines": lines_a_day},
        )


def named(shop: Shop, *, burst: int, rate: float) -> None:
    """Amazon named this rate of searching."""
    with shop.warehouse.begin() as connection:
        connection.execute(
            text(
                "insert into ops.rate_bucket (account, region, operation, rate, burst, full_at) "
                "values ('shop', 'eu', 'searchOrders', :rate, :burst, :now)"
            ),
            {"rate": rate, "burst": burst, "now": shop.clock.now},
        )


def span_of(length: timedelta, end: datetime = LAST_WEEK) -> Window:
    return Window(end - length, end, live=False)


# ---------- orders_history


def test_history_is_a_report_a_run(warehouse: Engine, tmp_path: Path) -> None:
    span = span_of(80 * DAY)
    with running(warehouse, tmp_path, orders(3, span.start + DAY, 30 * DAY)) as shop:
        place = in_eu(estimate(shop, "orders_history", span))
        backfill(shop, "orders_history", span, pull_order_history)
        assert place.runs == 3
        assert planned(place) == counted(shop)


# ---------- support_hourly


def test_hours_are_searched_by_the_page(warehouse: Engine, tmp_path: Path) -> None:
    span = span_of(3 * HOUR)
    with running(warehouse, tmp_path, orders(450, span.start - 29.7 * MINUTE, timedelta(seconds=30))) as shop:
        brought_before(shop, 2_880)
        cost = estimate(shop, "support_hourly", span)
        place = in_eu(cost)
        backfill(shop, "support_hourly", span, pull_orders)
        assert planned(place) == counted(shop) == {"searchOrders": 6}
        assert place.rows == len(shop.searched()) == 3 * 140, "ten minutes before each hour are searched, too"
        assert (place.runs, place.hours, cost.notes) == (3, 0, ())


def test_hours_for_which_searching_has_no_turn_go_by_report(warehouse: Engine, tmp_path: Path) -> None:
    span = span_of(30 * HOUR)
    with running(warehouse, tmp_path, orders(600, span.start, 3 * MINUTE)) as shop:
        brought_before(shop, 480)
        cost = estimate(shop, "support_hourly", span)
        place, began = in_eu(cost), shop.clock.now
        ended = backfill(shop, "support_hourly", span, pull_orders)
        assert planned(place) == counted(shop)
        assert place.calls["searchOrders"] == 23
        assert place.calls["createReport"] == 7
        assert (ended - began) / HOUR < place.hours < 0.5
        assert cost.notes[0].startswith("7 of 30 hours go by report")


def test_hours_too_big_for_searching_all_go_by_report(warehouse: Engine, tmp_path: Path) -> None:
    span = span_of(2 * HOUR)
    with running(warehouse, tmp_path, orders(2, span.start + MINUTE, HOUR)) as shop:
        named(shop, burst=1, rate=0.0056)
        with warehouse.begin() as connection:  # what a pull takes for usual
            connection.execute(
                text(
                    "insert into core.amazon_order (account, order_id, region, last_updated_at) "
                    "select 'shop', 'order ' || n, 'eu', cast(:end as timestamptz) - n * interval '10 seconds' "
                    "from generate_series(1, 60480) as n"
                ),
                {"end": span.start - 10 * MINUTE},
            )
        brought_before(shop, 8_640)
        place = in_eu(estimate(shop, "support_hourly", span))
        backfill(shop, "support_hourly", span, pull_orders)
        assert planned(place) == counted(shop)
        assert (place.calls["searchOrders"], place.calls["createReport"]) == (0, 2)


def test_orders_that_mail_named_are_fetched_once(warehouse: Engine, tmp_path: Path) -> None:
    span = span_of(2 * HOUR)
    with running(warehouse, tmp_path, orders(3, NOON - DAY)) as shop:
        with warehouse.begin() as connection:
            connection.execute(
                text(
                    "insert into core.amazon_order (account, order_id, region, marketplace, is_placeholder) "
                    "select 'shop', id, 'eu', 'DE', true from unnest(cast(:ids as text[])) as named (id)"
                ),
                {"ids": [order_id(1), order_id(2)]},
            )
        place = in_eu(estimate(shop, "support_hourly", span))
        backfill(shop, "support_hourly", span, pull_orders, pull_missing_orders)
        assert planned(place) == counted(shop) == {"searchOrders": 2, "getOrder": 2}


def test_rates_that_amazon_named_count(warehouse: Engine, tmp_path: Path) -> None:
    with running(warehouse, tmp_path, []) as shop:
        published = in_eu(estimate(shop, "support_hourly", span_of(20 * DAY)))
        named(shop, burst=20, rate=1)
        faster = in_eu(estimate(shop, "support_hourly", span_of(20 * DAY)))
        assert (faster.calls["searchOrders"], faster.calls["createReport"]) == (480, 0)
        assert 0 < published.calls["searchOrders"] < 480
        assert faster.hours < published.hours


# ---------- support_daily


def only(*countries: str) -> Any:
    closed = {c: AccountMarketplace(state="disabled") for c in MARKETPLACES["eu"] if c not in countries}
    return SETTINGS.model_copy(update={"accounts": (Account(name="shop", marketplaces=closed),)})


def test_each_day_orders_a_feedback_report_a_marketplace(warehouse: Engine, tmp_path: Path) -> None:
    span = span_of(3 * DAY)
    given = [
        Feedback(order_id(n), country, f"rater{n}@amazon.example", span.start - 5 * DAY, 2, "Too late")
        for n, country in enumerate(["DE", "DE", "FR"])
    ]
    with running(warehouse, tmp_path, [], feedback=given) as shop:
        shop.settings = only("DE", "FR")
        assert in_eu(estimate(shop, "support_daily", span)).rows is None
        cost = estimate(shop, "support_daily", span)
        backfill(shop, "support_daily", span, pull_feedback, pull_account_health)
        assert planned(in_eu(cost)) == counted(shop)
        assert counted(shop)["createReport"] == 6
        assert cost.notes[0].startswith("0 of 3 runs bring account health")
        assert in_eu(estimate(shop, "support_daily", span)).rows == 9, "three days of what each report has"


def test_a_day_that_has_just_ended_has_account_health_too(warehouse: Engine, tmp_path: Path) -> None:
    span = span_of(2 * DAY, NOON - 10 * HOUR)  # two in the morning
    with running(warehouse, tmp_path, orders(3, NOON - DAY)) as shop:
        shop.settings = only("DE")
        given = Feedback(order_id(1), "DE", "rater@amazon.example", span.start - 5 * DAY, 2, "Too late")
        place = in_eu(estimate(shop, "support_daily", span))
    with running(warehouse, tmp_path, orders(3, NOON - DAY), feedback=[given]) as shop:
        shop.settings = only("DE")
        backfill(shop, "support_daily", span, pull_feedback, pull_account_health)
        assert planned(place) == counted(shop)
        assert counted(shop)["createReport"] == 4


# ---------- mail_reread

RAW = b"From: Mia <k2j4h6g8f1d3@marketplace.amazon.de>\nMessage-ID: <%d@amazonses.com>\n\nWo ist meine Teekanne?\n"


def receive(warehouse: Engine, archive: Archive, account: str, moments: Sequence[datetime]) -> None:
    arrived = [Arrived(n, moment, RAW % n) for n, moment in enumerate(moments)]
    understood = mail_landing.understand(arrived, archive, account, {})
    place = mail_landing.Place(account, "imap_default", "INBOX", 1)
    with warehouse.begin() as connection:
        mail_landing.land(connection, place, understood, buyer_key=BUYER_KEY)


def test_mail_is_counted_and_weighed(warehouse: Engine, tmp_path: Path) -> None:
    archive, span = Archive(tmp_path / "archive", "secret"), span_of(DAY, NOON)
    receive(warehouse, archive, "shop", [span.start - MINUTE, *[span.start + n * HOUR for n in range(5)], span.end])
    with warehouse.connect() as connection:
        cost = plan(connection, SETTINGS, "mail_reread", span, ["shop", "quiet"], now=NOON, archive=archive)
        untold = plan(connection, SETTINGS, "mail_reread", span, ["shop"], now=NOON)
    shop, quiet = cost.places
    read = reread(warehouse, Account(name="shop"), archive, span, buyer_key=BUYER_KEY)
    assert (shop.rows, shop.calls) == (read.mails, {}) == (5, {})
    kept = [file.stat().st_size for file in archive.folder.rglob("*.mail")]
    assert shop.bytes == pytest.approx(sum(kept) * 5 / 7, rel=0.05)
    assert (quiet.rows, quiet.bytes) == (0, 0)
    assert untold.places[0].bytes is None, "nobody has looked at the archive"


def test_a_mail_that_the_archive_lost_is_no_reason_to_tell_nothing(warehouse: Engine, tmp_path: Path) -> None:
    archive, span = Archive(tmp_path / "archive", "secret"), span_of(DAY, NOON)
    receive(warehouse, archive, "shop", [span.start, span.start + HOUR])
    lost, kept = archive.folder.rglob("*.mail")
    lost.unlink()
    with warehouse.connect() as connection:
        [place] = plan(connection, SETTINGS, "mail_reread", span, ["shop"], now=NOON, archive=archive).places
    assert (place.rows, place.bytes) == (2, 2 * kept.stat().st_size)
