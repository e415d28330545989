"""Days through the tasks of the hourly and daily runs: clean ones raise nothing, a gap is told until it is pulled."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet
from landing import NOON, rows
from sqlalchemy import Engine

from amazon_support import settings
from amazon_support.orchestration import tasks
from amazon_support.sources.errors import ComeBackAt
from amazon_support.sources.memory import ShortMemory
from sandbox.amazon import TOKEN_PATH, create_app
from sandbox.http import serve
from sandbox.mail_servers import ImapServer, imap_server
from sandbox.world import SandboxMail, Seller, World, generate

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DAYS = 30
SELLER = Seller("shop", "eu", ("DE",), "id", "secret", "Atzr|shop-eu", "ASHOP")


class Nothing:
    def add(self, asset: Any, extra: Any = None) -> None:
        """Airflow would mark the asset."""


@dataclass
class Shop:
    """An invented shop, and the runs of the jobs over it by their own tasks, at whatever time it is there.

    Attributes:
        to_come: mails that did not arrive yet, the next one last.
    """

    warehouse: Engine
    monkeypatch: pytest.MonkeyPatch
    mailbox: ImapServer
    to_come: list[SandboxMail]
    now: datetime = NOON

    def hour(self, end: datetime, span: timedelta = HOUR) -> None:
        """The hourly run of a window that ends then."""
        self._begin(end, span)
        while self.to_come and self.to_come[-1].received_at <= end:
            self.mailbox.deliver("shop", self.to_come.pop())
        self._facts(["orders", "order_report"], tasks.pull_orders, tasks.list_amazon_connections())
        self._facts(["mail"], tasks.read_mailbox, tasks.list_mailboxes())
        self._facts(["orders"], tasks.pull_missing_orders, tasks.list_connections_to_missing_orders())
        tasks.fold_tickets()
        tasks.write_compliance()
        tasks.check_standing("hourly")
        tasks.write_worklists()

    def day(self, end: datetime) -> None:
        """The daily run of the day that ends then."""
        self._begin(end, DAY)
        self._facts(["feedback"], tasks.pull_feedback, tasks.list_amazon_connections())
        self._facts(["account_health"], tasks.pull_account_health, tasks.list_amazon_connections())
        tasks.check_standing("daily")

    def troubles(self) -> list[str]:
        return [sentence for (sentence,) in self.asked("select sentence from mart.data_quality_trouble")]

    def asked(self, query: str) -> list[tuple[Any, ...]]:
        with self.warehouse.connect() as connection:
            return rows(connection, query)

    def _begin(self, end: datetime, span: timedelta) -> None:
        self.now = max(end, self.now)
        run = SimpleNamespace(run_type="scheduled", data_interval_start=end - span, data_interval_end=end)
        datasets = ("orders", "order_report", "mail", "feedback", "account_health")
        aliases = {tasks.news_of(dataset): Nothing() for dataset in datasets}
        context = {
            "dag_run": run, "params": {}, "run_id": f"run {end}", "outlet_events": aliases,
            "dag": SimpleNamespace(dag_id="support"), "ti": SimpleNamespace(get_task_states=lambda **_: {}),
        }  # fmt: skip
        self.monkeypatch.setattr(tasks, "get_current_context", lambda: context)

    def _facts(self, datasets: list[str], pull: Callable[..., Any], sources: list[dict[str, Any]]) -> None:
        for source in sources:
            self._pull(pull, source)
        tasks.check(datasets)
        tasks.publish(datasets)

    def _pull(self, pull: Callable[..., Any], source: dict[str, Any]) -> None:
        """Whoever must wait, for a report or for Amazon's rates, finds that it is later."""
        if pull is tasks.read_mailbox:
            pull(source)
            return
        memory = ShortMemory()
        while True:
            try:
                pull(source, memory)
            except ComeBackAt:
                self.now += timedelta(seconds=30)
                time.sleep(0.05)  # rates go by the real clock; the stand-in's are a thousand times Amazon's
            else:
                return


@contextmanager
def opened(warehouse: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch, world: World) -> Iterator[Shop]:
    account = {
        "name": "shop",
        "amazon_connections": ["amazon_sp_api_shop_eu"],
        "mailboxes": [{"connection": "imap_shop"}],
        "marketplaces": {m.country: "disabled" for m in settings.load().marketplaces if m.country != "DE"},
    }
    (folder / "accounts.yaml").write_text(yaml.safe_dump({"accounts": [account]}))
    monkeypatch.setenv("AMAZON_SUPPORT_SETTINGS", str(folder))
    monkeypatch.setenv("AMAZON_SUPPORT_DATA", str(folder / "data"))
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", Fernet.generate_key().decode())
    with imap_server({"shop": []}) as mailbox:
        shop = Shop(warehouse, monkeypatch, mailbox, sorted(world.mails, key=lambda m: m.received_at, reverse=True))
        monkeypatch.setattr(tasks, "_now", lambda: shop.now)
        app = create_app(world, rate_factor=1000, clock=lambda: shop.now)
        with serve(app) as url:
            login = mailbox.users["shop"]
            extra = {
                "region": "eu", "refresh_token": SELLER.refresh_token, "client_id": "id", "client_secret": "secret",
                "endpoint": url, "token_url": url + TOKEN_PATH,
            }  # fmt: skip
            connections: dict[str, dict[str, Any]] = {
                "amazon_sp_api_shop_eu": {"conn_type": "amazon_sp_api", "extra": extra},
                "imap_shop": {
                    "conn_type": "imap", "host": mailbox.host, "port": mailbox.port, "login": login.user,
                    "password": login.password, "extra": {"use_ssl": False},
                },
            }  # fmt: skip
            for name, fields in connections.items():
                monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(fields))
            yield shop


def thirty_days() -> World:
    """Orders, mail and feedback after NOON. The stand-in knows only an order's last state, so none changes again."""
    world = generate(seed=7, until=NOON + DAYS * DAY, days=DAYS, sellers=(SELLER,), orders_per_day=40)
    orders = {
        key: [order | {"lastUpdatedTime": order["createdTime"]} for order in those]
        for key, those in world.orders.items()
    }
    return replace(world, orders=orders)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_thirty_clean_days_raise_nothing(warehouse: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(warehouse, tmp_path, monkeypatch, thirty_days()) as shop:
        for day in range(1, DAYS + 1):
            shop.hour(NOON + day * DAY, span=DAY)
            shop.day(NOON + day * DAY)
            assert (day, shop.troubles()) == (day, [])
        assert shop.asked("select rule, state from ops.check_result where state <> 'passed'") == []
        checked = {dataset for (dataset,) in shop.asked("select distinct dataset from ops.check_result")}
        assert checked >= {"orders", "mail", "feedback", "account_health", "ticket_event", "links", "marts"}
        assert shop.asked("select count(*) > 1000 from core.amazon_order where not is_placeholder") == [(True,)]


def test_an_hour_that_nobody_pulled_is_told_until_it_is_pulled(
    warehouse: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(warehouse, tmp_path, monkeypatch, World(sellers=(SELLER,), orders={}, mails=[])) as shop:
        shop.now = NOON + 30 * DAY  # runs of hours long past pull their own window; one that is live catches up
        shop.hour(NOON - 3 * HOUR)
        shop.hour(NOON)
        [sentence] = shop.troubles()
        assert "from 2026-03-10 09:00 to 2026-03-10 10:50 UTC no pull came to its end" in sentence
        assert sentence.endswith("; see quality results --dataset orders --rule no_gap_in_windows.")
        for end in (NOON - 2 * HOUR, NOON - HOUR, NOON):
            shop.hour(end)
        assert shop.troubles() == []
