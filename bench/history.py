"""Two years of orders of a busy account, by report: calls and time at Amazon's real rates, on a simulated clock.

Three regions with all their marketplaces, 25 windows of 30 days each, five million order lines. Every document is
downloaded from the stand-in and landed; then all of it is checked and published. Not part of `make bench`: it takes a
quarter of an hour. Run it alone: python bench/history.py [LINES]. Writes bench/history.md.
"""

import heapq
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Engine, text

from amazon_support import quality, settings
from amazon_support.settings import Account, Settings
from amazon_support.sources.amazon import AmazonClient, Credentials
from amazon_support.sources.errors import ComeBackAt
from amazon_support.sources.memory import ShortMemory
from amazon_support.sources.order_history import LONGEST_WINDOW, pull_order_history
from amazon_support.sources.rates import PUBLISHED, RateLimiter
from amazon_support.warehouse import engine, land, migrate
from amazon_support.warehouse.embedded import EmbeddedServer
from amazon_support.window import Window
from sandbox.amazon import TOKEN_PATH, create_app
from sandbox.amazon_flat_file import COLUMNS
from sandbox.amazon_report_content import Outcome, ReportRequest, Stock, done
from sandbox.amazon_reports import PROCESSING, QUEUED
from sandbox.http import serve
from sandbox.world import Seller, World

NOW = datetime(2026, 11, 1, tzinfo=UTC)
WINDOWS = 25
REGIONS = ("na", "eu", "fe")
LIMIT = 1.1  # times what the rates allow
RESULTS = Path(__file__).with_suffix(".md")
DATASET = "order_report"
CHARSETS = {"na": "UTF-8", "eu": "Cp1252", "fe": "windows-31j"}


# ---------- Amazon


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


def make_large_report(lines: int, shipped: Settings, request: ReportRequest, stock: Stock) -> Outcome:
    """A report of so many lines, one an order, of all marketplaces in turn."""
    values = dict.fromkeys(COLUMNS[4:], "") | {
        "order-status": "Shipped", "fulfillment-channel": "Merchant", "ship-service-level": "Standard",
        "product-name": "Teapot of brown stoneware, 1.2 l, with strainer", "sku": "TEAPOT-BROWN-12",
        "asin": "B000000001", "quantity": "1", "currency": "EUR", "item-price": "24.90", "item-tax": "3.98",
        "shipping-price": "0.00", "ship-country": "DE", "is-business-order": "false",
    }  # fmt: skip
    sites = [shipped.by_id[marketplace].domain.capitalize() for marketplace in request.marketplaces]
    ends = ["\t".join((values | {"sales-channel": site}).values()) for site in sites]
    steps = [request.start + (request.end - request.start) * n / 1000 for n in range(1000)]
    times = [f"\t\t{step - timedelta(days=2)}\t{step}\t" for step in steps]
    window = (NOW - request.end) // timedelta(days=1)
    first = f"{300 + REGIONS.index(request.region)}-{window:07}-"
    body = "".join(f"{first}{n:07}{times[n % 1000]}{ends[n % len(ends)]}\r\n" for n in range(lines))
    return done(request, ("\t".join(COLUMNS) + "\r\n" + body).encode(), CHARSETS[request.region])


# ---------- the backfill


@dataclass
class Backfill:
    """Runs of the DAG orders_history, as Airflow's backfill makes them: newest first, so many at once."""

    warehouse: Engine
    url: str
    clock: Clock
    settings: Settings
    at_once: int
    folder: Path
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)

    def run(self) -> timedelta:
        """Pulls every window in every region. Returns the simulated time."""
        windows = [Window(NOW - (n + 1) * LONGEST_WINDOW, NOW - n * LONGEST_WINDOW, live=False) for n in range(WINDOWS)]
        waiting = iter(enumerate(windows))
        tasks: list[tuple[datetime, int, str]] = []
        memories: dict[tuple[int, str], ShortMemory] = {}
        running: dict[int, int] = {}

        def start_next() -> None:
            for number, _ in waiting:
                running[number] = len(REGIONS)
                for region in REGIONS:
                    memories[number, region] = ShortMemory()
                    heapq.heappush(tasks, (self.clock.now, number, region))
                return

        for _ in range(self.at_once):
            start_next()
        pulled = 0
        while tasks:
            moment, number, region = heapq.heappop(tasks)
            self.clock.now = max(self.clock.now, moment)
            try:
                self._attempt(windows[number], region, memories[number, region])
            except ComeBackAt as later:
                heapq.heappush(tasks, (later.moment, number, region))
                continue
            pulled += 1
            elapsed = (self.clock.now - NOW).total_seconds()
            print(f"{pulled} of {WINDOWS * len(REGIONS)} windows, {elapsed:.0f} s of Amazon's time", flush=True)
            running[number] -= 1
            if not running[number]:
                start_next()
        return self.clock.now - NOW

    def _attempt(self, window: Window, region: str, memory: ShortMemory) -> None:
        from sp_api.auth.access_token_client import cache

        cache.clear()  # kept by the process, by the real clock
        limiter = RateLimiter(
            self.warehouse, account="shop", region=region, run="backfill", memory=memory, clock=self.clock,
            sleep=_never, patience=timedelta(0),
        )  # fmt: skip
        credentials = Credentials(
            region, "shop", region, "id", "secret", f"Atzr|{region}", self.url, self.url + TOKEN_PATH
        )
        client = AmazonClient(credentials, limiter, sleep=_never, clock=self.clock)
        try:
            pull_order_history(
                self.warehouse, client, self.settings, window, memory=memory, folder=self.folder, now=self.clock.now
            )
        finally:
            self.calls.update({(operation, region): made for operation, made in client.calls.items()})


def _never(seconds: float) -> None:
    raise AssertionError(f"a worker slept {seconds} s")


def lower_bound() -> timedelta:
    """The least that the rates allow: reports are ordered at the rate of createReport, the last one must be made, and
    documents are fetched at their own rate from the first that is made."""
    making = QUEUED + PROCESSING

    def last_turn(operation: str) -> timedelta:
        plan = PUBLISHED[operation]
        return timedelta(seconds=max(0, WINDOWS - plan.burst) / plan.rate)

    return max(last_turn("createReport") + making, making + last_turn("getReportDocument"))


# ---------- figures


def publish(bound: Engine, current: Settings) -> Iterator[tuple[str, float]]:
    began = time.monotonic()
    quality.check(bound, DATASET, current, as_of=NOW)
    yield "check", time.monotonic() - began
    began = time.monotonic()
    with bound.begin() as connection:
        land.PUBLISH[DATASET](connection, current)
    yield "publish", time.monotonic() - began


def simulate(lines: int, at_once: int, *, load: bool) -> tuple[timedelta, Counter[tuple[str, str]], list[str]]:
    """One backfill in a warehouse of its own."""
    current = settings.load().model_copy(update={"accounts": (Account(name="shop"),)})
    countries = {r: tuple(m.country for m in current.marketplaces if m.region == r) for r in REGIONS}
    sellers = tuple(Seller("shop", r, countries[r], "id", "secret", f"Atzr|{r}", f"A{r}") for r in REGIONS)
    world = World(sellers, {("shop", region): [] for region in REGIONS}, [])
    clock = Clock()
    made = partial(make_large_report, lines // (WINDOWS * len(REGIONS)), current)
    app = create_app(world, clock=clock, make_report=made)
    figures = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(EmbeddedServer(folder)).ensure_database("bench")
        migrate.upgrade(url)
        bound = engine(url)
        stack.callback(bound.dispose)
        amazon = stack.enter_context(serve(app))
        backfill = Backfill(bound, amazon, clock, current, at_once, folder / "spool")
        began = time.monotonic()
        taken = backfill.run()
        if load:
            with bound.connect() as connection:
                landed = connection.execute(text("select count(*) from raw.order_report_row")).scalar_one()
            steps = [("make, download, land", time.monotonic() - began), *publish(bound, current)]
            figures = [f"| {name} {landed:,} lines | {s:.0f} s | {landed / s:,.0f} a second |" for name, s in steps]
            print(*figures, sep="\n", flush=True)
            with bound.connect() as connection:
                orders = connection.execute(text("select count(*) from core.amazon_order")).scalar_one()
                size = connection.execute(text("select pg_size_pretty(pg_database_size('bench'))")).scalar_one()
            figures.append(f"| {orders:,} orders in the warehouse | {size} | |")
    return taken, backfill.calls, figures


def main(lines: int) -> None:
    """Simulates with 8 and with all runs at once, loads the latter, and writes the figures."""
    bound = lower_bound()
    taken, calls, figures = simulate(lines, WINDOWS, load=True)
    taken_by_eight, _, _ = simulate(WINDOWS * len(REGIONS), 8, load=False)
    ratio = taken / bound
    operations = sorted({operation for operation, _ in calls})
    rows = [
        f"| {operation} | {' | '.join(str(calls[operation, region]) for region in REGIONS)} |"
        for operation in operations
    ]
    plans = {name: f"{PUBLISHED[name].burst} at once, then {PUBLISHED[name].rate}/s" for name in operations}
    RESULTS.write_text(
        "# Two years of orders\n\n"
        f"`python bench/history.py {lines}`, {datetime.now(UTC):%Y-%m-%d}, "
        f"{len(os.sched_getaffinity(0))} processors. One account, {len(REGIONS)} regions, "
        f"{len(settings.load().marketplaces)} marketplaces, {WINDOWS} windows of 30 days.\n\n"
        "| calls | " + " | ".join(REGIONS) + " |\n|---|--:|--:|--:|\n" + "\n".join(rows) + "\n\n"
        f"Amazon's rates, for each region: {json.dumps(plans)[1:-1].replace(chr(34), '')}.\n\n"
        "| at Amazon's real rates (simulated clock) | |\n|---|--:|\n"
        f"| least that the rates allow: {WINDOWS} reports, the last one made {(QUEUED + PROCESSING).seconds} s later "
        f"| {bound.total_seconds():.0f} s |\n"
        f"| all runs at once | {taken.total_seconds():.0f} s |\n"
        f"| ratio (limit {LIMIT}) | {ratio:.2f}{'' if ratio <= LIMIT else ' **over the limit**'} |\n"
        f"| `--max-active-runs 8` | {taken_by_eight.total_seconds():.0f} s |\n\n"
        "| on this machine | | |\n|---|--:|--:|\n" + "\n".join(figures) + "\n",
        encoding="utf-8",
    )
    print(RESULTS.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000)
