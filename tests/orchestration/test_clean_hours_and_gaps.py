"""Days through the tasks of the hourly run: clean ones raise nothing, a missing one is told until it is pulled."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from landing import NOON, iso, order, order_id, rows
from sqlalchemy import Engine

from amazon_support import settings
from amazon_support.orchestration import tasks
from sandbox.amazon import TOKEN_PATH, create_app
from sandbox.http import serve
from sandbox.world import Seller, World

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
COUNTRIES = tuple(m.country for m in settings.load().marketplaces if m.region == "eu")
DATASETS = ["orders", "order_report"]

DAYS = 30


def orders_of(day: int) -> list[dict[str, Any]]:
    """Thirty orders that were placed in the day before noon and changed in its last hour."""
    end = NOON + day * DAY
    times = {"createdTime": iso(end - DAY / 2), "lastUpdatedTime": iso(end - HOUR / 2)}
    return [order(order_id(1000 * day + n), **times) for n in range(30)]


CLEAN = [each for day in range(DAYS) for each in orders_of(day)]


class Nothing:
    def add(self, asset: Any, extra: Any = None) -> None:
        """Airflow would mark the asset."""


class Hours:
    """Runs of the hourly job, hour by hour, by its own tasks."""

    def __init__(self, warehouse: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.warehouse, self.monkeypatch = warehouse, monkeypatch

    def run(self, end: datetime, span: timedelta = HOUR) -> int:
        """How many warnings the standing checks give in the end."""
        interval = SimpleNamespace(run_type="scheduled", data_interval_start=end - span, data_interval_end=end)
        aliases = {tasks.news_of(dataset): Nothing() for dataset in DATASETS}
        context = {"dag_run": interval, "params": {}, "run_id": f"run {end}", "outlet_events": aliases}
        self.monkeypatch.setattr(tasks, "get_current_context", lambda: context)
        for source in tasks.list_amazon_connections():
            tasks.pull_orders(source)
        tasks.check(DATASETS)
        tasks.publish(DATASETS)
        tasks.fold_tickets()
        return sum(tasks.check_standing(often)["warnings"] for often in ("hourly", "daily"))

    def asked(self, query: str) -> list[tuple[Any, ...]]:
        with self.warehouse.connect() as connection:
            return rows(connection, query)


@pytest.fixture
def hours(warehouse: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hours]:
    """Runs that find clean orders at Amazon."""
    account = {"name": "shop", "amazon_connections": ["amazon_sp_api_shop_eu"], "mailboxes": []}
    (tmp_path / "accounts.yaml").write_text(yaml.safe_dump({"accounts": [account]}))
    monkeypatch.setenv("AMAZON_SUPPORT_SETTINGS", str(tmp_path))
    monkeypatch.setenv("AMAZON_SUPPORT_DATA", str(tmp_path / "data"))
    seller = Seller("shop", "eu", COUNTRIES, "id", "secret", "Atzr|shop-eu", "ASHOP")
    world = World(sellers=(seller,), orders={("shop", "eu"): CLEAN}, mails=[])
    with serve(create_app(world, rate_factor=1000, clock=lambda: NOON + DAYS * DAY)) as url:
        extra = {
            "region": "eu", "refresh_token": "Atzr|shop-eu", "client_id": "id", "client_secret": "secret",
            "endpoint": url, "token_url": url + TOKEN_PATH,
        }  # fmt: skip
        connection = {"conn_type": "amazon_sp_api", "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_AMAZON_SP_API_SHOP_EU", json.dumps(connection))
        yield Hours(warehouse, monkeypatch)


@pytest.mark.timeout(900)  # thirty runs; on a busy machine five minutes are not enough
def test_thirty_clean_days_raise_nothing(hours: Hours) -> None:
    for day in range(DAYS):
        assert hours.run(NOON + day * DAY, span=DAY) == 0
    assert hours.asked("select sentence from mart.data_quality_trouble") == []
    assert hours.asked("select count(*) from core.amazon_order") == [(len(CLEAN),)]


def test_an_hour_that_nobody_pulled_is_told_until_it_is_pulled(hours: Hours) -> None:
    hours.run(NOON - 3 * HOUR)
    assert hours.run(NOON) == 1
    [(sentence,)] = hours.asked("select sentence from mart.data_quality_trouble where rule = 'no_gap_in_windows'")
    assert "from 2026-03-10 09:00 to 2026-03-10 10:50 UTC no pull came to its end" in sentence
    assert [hours.run(end) for end in (NOON - 2 * HOUR, NOON - HOUR, NOON)][-1] == 0
    assert hours.asked("select sentence from mart.data_quality_trouble where rule = 'no_gap_in_windows'") == []
