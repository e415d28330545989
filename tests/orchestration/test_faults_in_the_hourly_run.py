"""Faults that Amazon's stand-in brings, through the tasks of the hourly run: each is caught by its rule, and told."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from landing import NOON, iso, item, order, order_id, rows
from sqlalchemy import Engine

from amazon_support import settings
from amazon_support.orchestration import tasks
from amazon_support.outputs.summary import data_quality
from sandbox.amazon import TOKEN_PATH, create_app
from sandbox.http import serve
from sandbox.world import Seller, World

HOUR = timedelta(hours=1)
COUNTRIES = tuple(m.country for m in settings.load().marketplaces if m.region == "eu")
DATASETS = ["orders", "order_report"]

FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "look-alike dash": ({"orderId": "302\u20131234567\u20131234567"}, "order_id_shape"),
    "order id cut off": ({"orderId": "302-1234567"}, "order_id_shape"),
    "order without items": ({"orderItems": []}, "has_items"),
    "the same item twice": ({"orderItems": [item("1"), item("1")]}, "items_have_their_own_id"),
    "negative quantity": ({"orderItems": [item("1", -2)]}, "quantities_valid"),
    "half a piece": ({"orderItems": [item("1", 0.5)]}, "quantities_valid"),
    "currency as text in the amount": ({"proceeds": {"grandTotal": {"amount": "EUR 24.90"}}}, "amounts_numeric"),
    "decimal comma": ({"proceeds": {"grandTotal": {"amount": "24,90"}}}, "amounts_numeric"),
    "placed after it was changed": ({"createdTime": iso(NOON)}, "created_before_updated"),
    "status nobody knows": ({"fulfillment": {"fulfillmentStatus": "LOST"}}, "status_known"),
    "SKU and ASIN changed places": (
        {"orderItems": [item("1", product={"asin": "TEA-POT", "sellerSku": "B000000001"})]},
        "asins_shaped",
    ),
    "item without article": ({"orderItems": [item("1", product={})]}, "articles_named"),
}
CLEAN = [order(order_id(900 + n)) for n in range(30)]


class Nothing:
    def add(self, asset: Any, extra: Any = None) -> None:
        """Airflow would mark the asset."""


class Hours:
    """Runs of the hourly job, hour by hour, by its own tasks."""

    def __init__(self, warehouse: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.warehouse, self.monkeypatch = warehouse, monkeypatch

    def run(self, end: datetime) -> dict[str, int]:
        """What the standing checks say in the end."""
        interval = SimpleNamespace(run_type="scheduled", data_interval_start=end - HOUR, data_interval_end=end)
        aliases = {tasks.news_of(dataset): Nothing() for dataset in DATASETS}
        context = {"dag_run": interval, "params": {}, "run_id": f"run {end}", "outlet_events": aliases}
        self.monkeypatch.setattr(tasks, "get_current_context", lambda: context)
        for source in tasks.list_amazon_connections():
            tasks.pull_orders(source)
        tasks.check(DATASETS)
        tasks.publish(DATASETS)
        tasks.fold_tickets()
        return tasks.check_standing("hourly")

    def asked(self, query: str) -> list[tuple[Any, ...]]:
        with self.warehouse.connect() as connection:
            return rows(connection, query)


FAULTY = [order(order_id(n)) | changes for n, (changes, _) in enumerate(FAULTS.values())]


@pytest.fixture
def hours(
    warehouse: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Hours]:
    """Runs that find these orders at Amazon: by default all of FAULTY and CLEAN."""
    account = {"name": "shop", "amazon_connections": ["amazon_sp_api_shop_eu"], "mailboxes": []}
    (tmp_path / "accounts.yaml").write_text(yaml.safe_dump({"accounts": [account]}))
    monkeypatch.setenv("AMAZON_SUPPORT_SETTINGS", str(tmp_path))
    monkeypatch.setenv("AMAZON_SUPPORT_DATA", str(tmp_path / "data"))
    seller = Seller("shop", "eu", COUNTRIES, "id", "secret", "Atzr|shop-eu", "ASHOP")
    stock = getattr(request, "param", FAULTY + CLEAN)
    world = World(sellers=(seller,), orders={("shop", "eu"): stock}, mails=[])
    with serve(create_app(world)) as url:
        extra = {
            "region": "eu", "refresh_token": "Atzr|shop-eu", "client_id": "id", "client_secret": "secret",
            "endpoint": url, "token_url": url + TOKEN_PATH,
        }  # fmt: skip
        connection = {"conn_type": "amazon_sp_api", "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_AMAZON_SP_API_SHOP_EU", json.dumps(connection))
        yield Hours(warehouse, monkeypatch)


def test_each_faulty_order_is_caught_by_its_rule_and_the_clean_ones_are_published(hours: Hours) -> None:
    assert hours.run(NOON)["warnings"] == 0
    aside = dict(hours.asked("select row_key, rule from ops.quarantine"))
    warned = {rule for (rule,) in hours.asked("select rule from ops.check_result where state <> 'passed'")}
    found = {
        fault: aside.get(changes.get("orderId", order_id(number)))
        for number, (fault, (changes, _)) in enumerate(FAULTS.items())
    }
    missed = {fault: rule for fault, (_, rule) in FAULTS.items() if found[fault] != rule and rule not in warned}
    assert missed == {}
    published = {each for (each,) in hours.asked("select order_id from core.amazon_order")}
    assert {each["orderId"] for each in CLEAN} <= published
    assert not published & set(aside)
    with hours.warehouse.connect() as connection:
        assert "quality list --dataset orders --rule has_items" in data_quality(connection)


only_clean = pytest.mark.parametrize("hours", [CLEAN], indirect=True, ids=["clean"])


@only_clean
def test_hours_of_clean_orders_raise_nothing(hours: Hours) -> None:
    for hour in range(3):
        assert hours.run(NOON + hour * HOUR)["warnings"] == 0
    assert hours.asked("select sentence from mart.data_quality_trouble") == []


@only_clean
def test_an_hour_that_nobody_pulled_is_told_until_it_is_pulled(hours: Hours) -> None:
    hours.run(NOON - 3 * HOUR)
    assert hours.run(NOON)["warnings"] == 1
    [(sentence,)] = hours.asked("select sentence from mart.data_quality_trouble where rule = 'no_gap_in_windows'")
    assert "from 2026-03-10 09:00 to 2026-03-10 10:50 UTC no pull came to its end" in sentence
    for end in (NOON - 2 * HOUR, NOON - HOUR, NOON):
        left = hours.run(end)["warnings"]
    assert left == 0
    assert hours.asked("select sentence from mart.data_quality_trouble where rule = 'no_gap_in_windows'") == []
