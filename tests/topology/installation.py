"""A cluster with invented sellers, and what an hour leaves behind when nothing happens to anything."""

import copy
import csv
import hashlib
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from cluster import Cluster
from line import Line, line
from snapshot import differences, rows, snapshot
from sqlalchemy import make_url, text

from amazon_support import demo
from amazon_support.settings import home
from amazon_support.warehouse import connect, engine, migrate
from amazon_support.warehouse.engine import ensure_database
from sandbox.__main__ import describe
from sandbox.amazon import create_app
from sandbox.amazon_faults import Faults
from sandbox.http import serve
from sandbox.mail_servers import SmtpSink, imap_server, smtp_sink
from sandbox.world import World, demo_sellers, generate

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EMPTY = "empty"  # a migrated warehouse that knows Amazon's rates, as one does after its first hour
# Amazon leaves the last two minutes out; the hour must be over for so long that each run sees the same.
SETTLED = timedelta(minutes=3)


@dataclass(frozen=True)
class Outcome:
    """What a run left behind: the warehouse's tables, files by their content, mails by Message-ID."""

    tables: dict[str, str]
    files: dict[str, str]
    mails: Counter[str]


@dataclass
class Installation:
    """The cluster, its run of the newest hour, and the servers it talks to."""

    cluster: Cluster
    run: str
    hour: datetime
    amazon: Faults
    mailbox_line: Line
    smtp: SmtpSink
    _smtp_server: ExitStack
    undisturbed: Outcome | None = None
    _warehouses: int = 0
    _mails_before: int = 0
    url: str = ""
    took: dict[str, float] = field(default_factory=dict)

    # ---------- an hour from nothing

    @contextmanager
    def hour_again(self, tablespace: str = "pg_default") -> Iterator[None]:
        """The hour begins anew on an empty warehouse; at the end of the block it must have ended well."""
        self.begin(tablespace)
        yield
        assert self.cluster.finish(self.run) == "success", self.cluster.failures(self.run)
        self.took[os.environ.get("PYTEST_CURRENT_TEST", "").partition("::")[2]] = self.cluster.seconds(self.run)

    def begin(self, tablespace: str = "pg_default") -> None:
        self._warehouses += 1
        name = f"hour_{self._warehouses}"
        on_server(self.url_of("postgres"), f"create database {name} template {EMPTY} tablespace {tablespace}")
        self.url = self.url_of(name)
        self.cluster.use_warehouse(self.url)
        for folder in ("archive", "worklists", "reports"):
            shutil.rmtree(self.cluster.folder / folder, ignore_errors=True)
        self._mails_before = len(self.smtp.mails())
        self.cluster.run_anew(self.run)

    def url_of(self, database: str) -> str:
        return make_url(self.cluster.warehouse_url).set(database=database).render_as_string(hide_password=False)

    def outcome(self) -> Outcome:
        with connect(self.url) as connection:
            tables = snapshot(connection)
        mails = self.smtp.mails()[self._mails_before :]
        return Outcome(tables, files(self.cluster.folder), Counter(str(mail["Message-ID"]) for mail in mails))

    def changes(self) -> list[str]:
        """What is not as after the undisturbed hour, in words. How often a mail came is another matter."""
        before, now = self.undisturbed, self.outcome()
        assert before
        return [
            *differences(before.tables, now.tables),
            *differences(before.files, now.files),
            *(f"mail {key} sent by only one of them" for key in before.mails.keys() ^ now.mails.keys()),
        ]

    def lost(self, table: str) -> list[str]:
        """Rows that the undisturbed hour has and this one has not."""
        with connect(self.cluster.warehouse_url) as before, connect(self.url) as now:
            return sorted(set(rows(before, table)[table]) - set(rows(now, table)[table]))

    def sent_again(self) -> list[str]:
        """Message-IDs of mails that came more than once."""
        return [key for key, times in self.outcome().mails.items() if times > 1]

    def forget_lists(self, as_of: datetime) -> None:
        """Takes the worklists of an hour away that the undisturbed installation has not made."""
        on_server(self.url, f"delete from mart.worklist_item where as_of = '{as_of.isoformat()}'")
        for path in (self.cluster.folder / "worklists").glob(f"worklist-{as_of:%Y%m%dT%H%MZ}-*"):
            path.unlink()

    # ---------- the mail server for what goes out

    def stop_smtp(self) -> None:
        self._smtp_server.close()

    def start_smtp(self) -> None:
        sink = smtp_sink(self.smtp.folder, port=self.smtp.port)
        self._smtp_server.enter_context(sink)


@contextmanager
def installation(folder: Path) -> Iterator[Installation]:
    """A cluster after an hour in which nothing happened to anything."""
    hour = settled_hour()
    world = invented(hour)
    accounts = sorted({seller.account for seller in world.sellers})
    mailboxes = {name: [mail for mail in world.mails if mail.account == name] for name in accounts}
    cluster, amazon, smtp_server = Cluster(folder), Faults(), ExitStack()
    with ExitStack() as servers:
        servers.callback(cluster.stop_all)
        url = servers.enter_context(serve(create_app(world, rate_factor=100, faults=amazon)))
        imap = servers.enter_context(imap_server(mailboxes))
        mailbox_line = servers.enter_context(line(imap.port))
        smtp = servers.enter_context(smtp_server).enter_context(smtp_sink(folder / "mail"))
        cluster.prepare(print)
        listing = describe(world, url, imap, smtp)
        listing["imap"]["port"] = mailbox_line.port
        demo.configure(cluster, listing)
        add_desk(folder, world)
        installed = Installation(cluster, "", hour, amazon, mailbox_line, smtp, smtp_server, url=cluster.warehouse_url)
        on_server(cluster.warehouse_url, "alter system set fsync = off", "select pg_reload_conf()")
        ensure_database(cluster.warehouse_url, EMPTY)
        migrate.upgrade(installed.url_of(EMPTY))
        cluster.start_all(last_hour=(hour - HOUR).isoformat())
        cluster.api("PATCH", "/dags/orders_wanted", {"is_paused": True})
        cluster.use_warehouse(cluster.warehouse_url)
        installed.run = cluster.first_scheduled_run()
        assert cluster.finish(installed.run) == "success", cluster.failures(installed.run)
        installed.undisturbed = installed.outcome()
        installed.took["undisturbed"] = cluster.seconds(installed.run)
        keep_rates(cluster.warehouse_url, installed.url_of(EMPTY))
        yield installed


# ---------- the invented history


def settled_hour() -> datetime:
    """The newest full hour, once it has passed long enough and the next one is not near."""
    while True:
        now = datetime.now(UTC)
        hour = now.replace(minute=0, second=0, microsecond=0)
        if SETTLED <= now - hour <= timedelta(minutes=56):
            return hour
        time.sleep(5)


def invented(until: datetime) -> World:
    """Ten days; of each seller some orders are too old for the first pull, so that only mail names them."""
    world = generate(seed=7, until=until, days=10, sellers=demo_sellers(), orders_per_day=25)
    named = {letter.order_id for letter in world.truth.values()}
    for orders in world.orders.values():
        for order in [order for order in orders if order["orderId"] in named][:3]:
            order["createdTime"] = order["lastUpdatedTime"] = f"{until - 70 * DAY:%Y-%m-%dT%H:%M:%SZ}"
    return world


def add_desk(folder: Path, world: World) -> None:
    """A desk that exports what its agents did with some tickets."""
    exports, account = folder / "exports", demo_sellers()[0].account
    exports.mkdir()
    letters = [each for each in world.truth.values() if each.account == account and each.kind == "buyer_message"]
    asked = [letter for letter in letters if letter.order_id][:20]
    with (exports / "actions.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Order ID", "Action", "Agent", "Date", "Note"])
        for letter in asked:
            at = f"{letter.received_at + timedelta(minutes=30):%Y-%m-%d %H:%M:%S}"
            writer.writerow([letter.order_id, "Internal Note", demo.AGENTS[0]["name"], at, "Called the carrier."])
    old = time.time() - 600  # one that changed just now is left to the next hour
    os.utime(exports / "actions.csv", (old, old))
    shipped = yaml.safe_load((home() / "include/settings/desk_files.yaml").read_text())
    settings: dict[str, Any] = copy.deepcopy(shipped)
    settings["desk_files"]["folders"] = [
        {"account": account, "desk": "bqool", "url": str(exports), "format": "bqool", "timezone": "UTC"}
    ]
    (folder / "settings" / "desk_files.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))


def files(folder: Path) -> dict[str, str]:
    """By name, what each worklist file holds; of the archive, which is sealed with random numbers, only the names.

    Of a mail that is being written when its writer dies, the beginning stays there until the nightly removal.
    """
    found = {}
    for path in sorted((folder / "worklists").rglob("*")):
        if path.is_file():
            found[path.name] = hashlib.md5(path.read_bytes()).hexdigest()
    for path in sorted((folder / "archive").rglob("*")):
        if path.is_file() and path.suffix != ".tmp":
            found[str(path.relative_to(folder))] = "there"
    return found


def keep_rates(source: str, target: str) -> None:
    """A running installation has learnt from Amazon how often it may call."""
    with connect(source) as known, connect(target) as empty:
        for row in known.execute(
            text("select account, region, operation, rate, burst from ops.rate_bucket")
        ).mappings():
            empty.execute(
                text("insert into ops.rate_bucket values (:account, :region, :operation, :rate, :burst, '2026-01-01')"),
                dict(row),
            )


def on_server(url: str, *statements: str) -> None:
    """Runs statements that belong to no transaction."""
    bound = engine(url)
    with bound.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    bound.dispose()
