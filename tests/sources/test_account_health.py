"""Account health, through the real client, from a stand-in that speaks Amazon's protocol."""

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from amazon_shop import DAY, HOUR, MARKETPLACES, NOON, SETTINGS, SHIPPED, Shop, running
from health_reports import checked, document, rate
from landing import rows
from sqlalchemy import Engine

from amazon_support import settings
from amazon_support.sources.account_health import Pulled, fetch_account_health, pull_account_health
from amazon_support.sources.errors import BadDocument, ComeBackAt, SourceError, Unavailable
from amazon_support.sources.memory import ShortMemory
from amazon_support.warehouse import land
from amazon_support.window import Window
from sandbox.amazon_account_health import performance_report
from sandbox.world import Seller, generate

PERFORMANCE = "GET_V2_SELLER_PERFORMANCE_REPORT"
CUSTOMER_METRICS = "GET_V1_SELLER_PERFORMANCE_REPORT"
YESTERDAY = Window(NOON - DAY, NOON, live=True)
IDS = SETTINGS.marketplace_ids(SETTINGS.account("shop"), "eu")


@pytest.fixture(scope="module")
def orders() -> list[dict[str, Any]]:
    seller = Seller("shop", "eu", MARKETPLACES["eu"][:3], "id", "secret", "Atzr|shop-eu", "ASHOP")
    world = generate(seed=4, until=NOON + 3 * DAY, days=90, sellers=[seller], orders_per_day=15)
    return world.orders["shop", "eu"]


@pytest.fixture
def shop(warehouse: Engine, tmp_path: Path, orders: list[dict[str, Any]]) -> Iterator[Shop]:
    with running(warehouse, tmp_path / "reports", orders) as shop:
        yield shop


def pull(shop: Shop, window: Window = YESTERDAY, memory: ShortMemory | None = None) -> Pulled:
    pulled = shop.pull(pull_account_health, window, memory)  # type: ignore[arg-type]
    assert isinstance(pulled, Pulled)
    return pulled


def attempt(shop: Shop, memory: ShortMemory, window: Window = YESTERDAY) -> Pulled:
    pulled = shop.attempt(pull_account_health, window, memory)  # type: ignore[arg-type]
    assert isinstance(pulled, Pulled)
    return pulled


def publish(shop: Shop) -> None:
    checked(shop.warehouse)
    with shop.warehouse.begin() as connection:
        land.publish_account_health(connection, SHIPPED)


def test_both_reports_are_landed_and_become_facts(shop: Shop) -> None:
    pulled = pull(shop)
    assert (pulled.account, pulled.region, len(pulled.batch_ids)) == ("shop", "eu", 2)
    assert (pulled.unknown, pulled.notes, pulled.periods) == ([], [], 3 * len(IDS))
    assert shop.faults.calls["createReport"] == 2
    assert shop.pulled("account_health") == {"eu": (YESTERDAY.start, YESTERDAY.end)}
    for verdict in checked(shop.warehouse):
        assert (verdict.broken_rules, verdict.rejected_because) == ({}, None)
    publish(shop)
    with shop.warehouse.begin() as connection:
        assert rows(connection, "select count(*) from core.account_metric") == [(pulled.metrics,)]
        assert rows(connection, "select count(*) from core.contact_response where marketplace is null") == [(0,)]
        assert rows(
            connection, "select marketplace, measured_at from mart.account_health where metric = 'account_status'"
        ) == sorted((country, NOON) for country in MARKETPLACES["eu"])


def test_days_make_a_history_with_trends(shop: Shop) -> None:
    for number in range(3):
        window = Window(NOON + (number - 1) * DAY, NOON + number * DAY, live=True)
        shop.clock.now = max(shop.clock.now, window.end + 5 * timedelta(minutes=1))
        pull(shop, window)
        publish(shop)
    country = MARKETPLACES["eu"][0]
    with shop.warehouse.begin() as connection:
        course = [
            value
            for (value,) in rows(
                connection,
                "select value from core.account_metric where metric = 'late_shipment_rate' and marketplace = :country "
                "order by measured_at",
                country=country,
            )
        ]
        [(trend, previous)] = rows(
            connection,
            "select trend, previous_value from mart.account_health where metric = 'late_shipment_rate' "
            "and marketplace = :country",
            country=country,
        )
    assert len(set(course)) == 3
    assert (trend, previous) == ("worse" if course[2] > course[1] else "better", course[1])


def test_a_second_pull_of_the_same_window_adds_no_facts(shop: Shop) -> None:
    first = pull(shop)
    publish(shop)
    again = pull(shop)
    publish(shop)
    assert set(first.batch_ids).isdisjoint(again.batch_ids)
    assert shop.column("select count(*) from core.account_metric") == [first.metrics]


# ---------- waiting, and what dies meanwhile


def test_the_first_attempt_orders_both_and_comes_back_for_the_earlier(shop: Shop) -> None:
    memory = ShortMemory()
    with pytest.raises(ComeBackAt) as wait:
        attempt(shop, memory)
    assert shop.faults.calls["createReport"] == 2
    assert wait.value.moment <= shop.clock.now + timedelta(seconds=10)


def test_a_report_is_landed_once_while_the_other_is_waited_for(shop: Shop) -> None:
    memory = ShortMemory()
    shop.faults.next("createReport", after=1, times=2, status=429)  # the second is ordered minutes later
    landed = []
    while True:
        try:
            pulled = attempt(shop, memory)
            break
        except ComeBackAt as wait:
            shop.clock.now = wait.moment
            landed.append(shop.column("select count(*) from ops.batch")[0])
    assert 1 in landed
    assert len(pulled.batch_ids) == 2
    assert shop.column("select count(*) from ops.batch") == [2]
    assert (shop.faults.calls["createReport"], shop.faults.calls["download"]) == (4, 2)


def test_no_file_is_left_behind(shop: Shop) -> None:
    pull(shop)
    assert list(shop.folder.iterdir()) == []


# ---------- what goes wrong


@pytest.mark.parametrize("status", ["CANCELLED", "FATAL"])
def test_contact_response_times_that_are_not_served_are_only_noted(
    shop: Shop, status: str, caplog: pytest.LogCaptureFixture
) -> None:
    shop.faults.report(CUSTOMER_METRICS, status, reason="Report type is deprecated", times=2)
    with caplog.at_level(logging.INFO):
        pulled = pull(shop)
    [note] = pulled.notes
    assert "no contact response times" in note
    assert caplog.text.count("no contact response times") == 1
    assert (len(pulled.batch_ids), pulled.periods) == (1, 0)
    assert pulled.metrics > 0


def test_a_refused_order_of_the_old_report_is_only_noted(shop: Shop) -> None:
    shop.faults.next("createReport", after=1, status=400)
    pulled = pull(shop)
    assert ("400" in pulled.notes[0], len(pulled.batch_ids)) == (True, 1)


def test_an_old_report_that_is_no_xml_is_only_noted(shop: Shop) -> None:
    shop.faults.next("download", after=1, body=b"<html><p>Sorry", content_type="text/html")
    pulled = pull(shop)
    assert (len(pulled.notes), len(pulled.batch_ids)) == (1, 1)


def test_an_outage_after_the_first_report_costs_nothing(shop: Shop) -> None:
    memory = ShortMemory()
    shop.faults.next("download", after=1, times=3, status=503)
    with pytest.raises(Unavailable):
        pull(shop, memory=memory)
    assert shop.column("select count(*) from ops.batch") == [1]
    pulled = pull(shop, memory=memory)
    assert len(pulled.batch_ids) == 2
    assert shop.faults.calls["createReport"] == 2


def test_no_data_is_noted(shop: Shop) -> None:
    shop.faults.report(PERFORMANCE, "CANCELLED")
    shop.faults.report(CUSTOMER_METRICS, "CANCELLED")
    pulled = pull(shop)
    assert (pulled.batch_ids, pulled.metrics, len(pulled.notes)) == ([], 0, 2)


def test_a_report_that_amazon_cannot_make_fails_the_pull_with_the_reason(shop: Shop) -> None:
    shop.faults.report(PERFORMANCE, "FATAL", reason="Internal mishap", times=2)
    with pytest.raises(SourceError, match="Internal mishap"):
        pull(shop)


@pytest.mark.parametrize(
    "content",
    [b"<html><body>Service Unavailable</body></html>", b"", b"[]", b'{"accountStatuses": [', b"[" * 100_000],
    ids=["html", "empty", "a list", "broken off", "too deep"],
)
def test_what_is_no_json_object_fails_and_is_ordered_anew(shop: Shop, content: bytes) -> None:
    memory = ShortMemory()
    shop.faults.next("download", body=content, content_type="application/json")
    with pytest.raises(BadDocument, match=r"GET_V2_SELLER_PERFORMANCE_REPORT \(account shop, region eu") as problem:
        pull(shop, memory=memory)
    assert "html" not in str(problem.value)
    assert shop.column("select count(*) from ops.batch") == [0]
    assert pull(shop, memory=memory).metrics > 0


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_byte_order_mark_does_not_matter(shop: Shop, charset: str) -> None:
    content = json.dumps(document(IDS[0], lateShipmentRate=rate(0.02))).encode(charset)
    shop.faults.next("download", body=content, content_type="application/json")
    assert pull(shop).metrics == 2


def test_documents_in_the_wild_are_understood(shop: Shop, orders: list[dict[str, Any]]) -> None:
    wild = performance_report(orders, IDS[:3], NOON, "wild")
    shop.faults.next("download", body=wild, content_type="text/plain; charset=UTF-8")
    assert pull(shop).unknown == []
    publish(shop)
    found = shop.column("select metric from mart.account_health where metric = 'product_review_violations'")
    assert len(found) == 3


def test_what_is_not_understood_is_told_once_and_kept(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    report = document(IDS[0], "ON_HOLIDAY", colour="red", greenClaims={"status": "BAD", "defectsCount": 2})
    shop.faults.next("download", body=json.dumps(report).encode(), content_type="application/json")
    with caplog.at_level(logging.WARNING):
        pulled = pull(shop)
    assert pulled.unknown == ["performanceMetrics[].colour", "performanceMetrics[].greenClaims"]
    assert caplog.text.count("performanceMetrics[].colour") == 1
    assert shop.column("select document from raw.account_health_received where document is not null") == [report]
    publish(shop)
    assert shop.column("select metric || ' ' || is_good from mart.account_health order by 1") == [
        "account_status false",
        "green_claims false",
    ]


# ---------- what is not asked for


def test_nothing_is_ordered_for_a_past_day(shop: Shop) -> None:
    """Amazon would tell today's figures, and they would be kept as those of that day."""
    past = Window(NOON - 3 * DAY, NOON - 2 * DAY, live=False)
    pulled = pull(shop, past)
    assert (pulled.batch_ids, shop.faults.calls["createReport"]) == ([], 0)
    assert "not of past days" in pulled.notes[0]


@pytest.mark.parametrize(("hours", "measured"), [(2.9, 0), (3, 3), (23, 23)])
def test_a_late_run_counts_and_dates_nothing_back(shop: Shop, hours: float, measured: float) -> None:
    shop.clock.now = NOON + hours * HOUR
    assert len(pull(shop, Window(NOON - DAY, NOON, live=False)).batch_ids) == 2
    publish(shop)
    for table in ("account_metric", "contact_response"):
        assert shop.column(f"select distinct measured_at from core.{table}") == [NOON + measured * HOUR]


def test_a_report_ordered_in_time_is_of_the_window_however_long_it_takes(shop: Shop) -> None:
    memory = ShortMemory()
    with pytest.raises(ComeBackAt):
        attempt(shop, memory)
    shop.clock.now += 5 * HOUR
    pull(shop, memory=memory)
    publish(shop)
    assert shop.column("select distinct measured_at from core.account_metric") == [NOON]


def test_nothing_is_ordered_where_all_marketplaces_are_disabled(shop: Shop) -> None:
    disabled = settings.AccountMarketplace(state="disabled")
    off = settings.Account(name="shop", marketplaces=dict.fromkeys(SHIPPED.by_country, disabled))
    shop.settings = SHIPPED.model_copy(update={"accounts": (off,)})
    assert pull(shop).notes == ["no active marketplace"]
    assert shop.faults.calls["createReport"] == 0


# ---------- by hand


def test_by_hand_both_reports_are_read_and_not_kept(shop: Shop) -> None:
    memory = ShortMemory()
    while True:
        try:
            found = fetch_account_health(shop.client(memory), IDS, memory=memory, folder=shop.folder)
            break
        except ComeBackAt as wait:
            shop.clock.now = wait.moment
    assert found.health is not None
    assert {status.marketplace for status in found.health.statuses} == set(IDS)
    assert len(found.contact_responses) == 3 * len(IDS)
    assert shop.column("select count(*) from ops.batch") == [0]
