"""Two years of orders of a busy account, by report: calls and time at Amazon's real rates, on a simulated clock.

Three regions with all their marketplaces, 25 windows of 30 days each, five million order lines, eight windows at once.
Every document is downloaded from the stand-in and landed; a window that all regions have landed is checked and
published, as its DAG run does. Not part of `make bench`: it takes a quarter of an hour and 5 GB of disk. Run it alone:
python bench/history.py [LINES]. Writes bench/history.md.
"""

import argparse
import heapq
import json
import multiprocessing
import os
import platform
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from result import peak_memory
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
WINDOWS, AT_ONCE = 25, 8
LINES = 5_000_000
REGIONS = ("na", "eu", "fe")
LIMIT = 1.1  # times what the rates allow
MEMORY_LIMIT = 300  # MB, for landing
ENDS = 5  # windows, of which the speed at the beginning and at the end is told
RESULTS = Path(__file__).with_suffix(".md")
DATASET = "order_report"
CHARSETS = {"na": "UTF-8", "eu": "Cp1252", "fe": "windows-31j"}


# ---------- Amazon


class Clock:
    """The simulated moment, and the real seconds the stand-in spent on making documents: known to both processes."""

    def __init__(self) -> None:
        self._elapsed = multiprocessing.Value("d", 0)
        self.making = multiprocessing.Value("d", 0)

    def __call__(self) -> datetime:
        return NOW + timedelta(seconds=self._elapsed.value)

    def wait_until(self, moment: datetime) -> None:
        self._elapsed.value = max(self._elapsed.value, (moment - NOW).total_seconds())


@contextmanager
def amazon(world: World, clock: Clock, lines: int, shipped: Settings) -> Iterator[str]:
    """Amazon's address. It is a process of its own, so that its memory and its documents do not count as ours."""

    def make_report(request: ReportRequest, stock: Stock) -> Outcome:
        began = time.monotonic()
        outcome = make_large_report(lines, shipped, request)
        clock.making.value += time.monotonic() - began
        return outcome

    def run(told: Connection) -> None:
        with serve(create_app(world, clock=clock, make_report=make_report)) as url:
            told.send(url)
            signal.pause()

    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=run, args=[there], daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join()


def make_large_report(lines: int, shipped: Settings, request: ReportRequest) -> Outcome:
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
    """Runs of the DAG orders_history, as Airflow's backfill makes them: newest first, so many at once.

    Attributes:
        spent: real seconds of each step, by window in the order of publishing.
        landing_memory: MB this process had used at most before the checks, which need more, were loaded.
    """

    warehouse: Engine
    url: str
    clock: Clock
    settings: Settings
    at_once: int
    folder: Path
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    pulling: float = 0
    spent: dict[str, list[float]] = field(default_factory=lambda: {"check": [], "publish": []})
    landing_memory: float = 0

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
                    heapq.heappush(tasks, (self.clock(), number, region))
                return

        for _ in range(self.at_once):
            start_next()
        pulled = 0
        while tasks:
            moment, number, region = heapq.heappop(tasks)
            self.clock.wait_until(moment)
            began = time.monotonic()
            try:
                self._attempt(windows[number], region, memories[number, region])
            except ComeBackAt as later:
                heapq.heappush(tasks, (later.moment, number, region))
                continue
            finally:
                self.pulling += time.monotonic() - began
            pulled += 1
            elapsed = (self.clock() - NOW).total_seconds()
            print(f"{pulled} of {WINDOWS * len(REGIONS)} windows, {elapsed:.0f} s of Amazon's time", flush=True)
            running[number] -= 1
            if not running[number]:
                self._publish()
                start_next()
        return self.clock() - NOW

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
                self.warehouse, client, self.settings, window, memory=memory, folder=self.folder, now=self.clock()
            )
        finally:
            self.calls.update({(operation, region): made for operation, made in client.calls.items()})

    def _publish(self) -> None:
        """Checks and publishes what has been landed."""
        self.landing_memory = self.landing_memory or peak_memory()
        began = time.monotonic()
        quality.check(self.warehouse, DATASET, self.settings, as_of=NOW)
        self.spent["check"].append(time.monotonic() - began)
        began = time.monotonic()
        with self.warehouse.begin() as connection:
            land.PUBLISH[DATASET](connection, self.settings)
        self.spent["publish"].append(time.monotonic() - began)


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


@dataclass(frozen=True)
class Figures:
    """What one backfill gave: Amazon's time, calls by operation and region, and lines of the table of this machine."""

    taken: timedelta
    calls: Counter[tuple[str, str]]
    here: list[str]


def simulate(lines: int, at_once: int) -> Figures:
    """One backfill of at least so many lines, in a warehouse of its own."""
    current = settings.load().model_copy(update={"accounts": (Account(name="shop"),)})
    countries = {r: tuple(m.country for m in current.marketplaces if m.region == r) for r in REGIONS}
    sellers = tuple(Seller("shop", r, countries[r], "id", "secret", f"Atzr|{r}", f"A{r}") for r in REGIONS)
    world = World(sellers, {("shop", region): [] for region in REGIONS}, [])
    clock = Clock()
    with ExitStack() as stack:
        # Before there is a connection or a thread, which a new process must not inherit.
        url = stack.enter_context(amazon(world, clock, -(-lines // (WINDOWS * len(REGIONS))), current))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = stack.enter_context(EmbeddedServer(folder)).ensure_database("bench")
        migrate.upgrade(database)
        bound = engine(database)
        stack.callback(bound.dispose)
        backfill = Backfill(bound, url, clock, current, at_once, folder / "spool")
        taken = backfill.run()
        return Figures(taken, backfill.calls, _on_this_machine(bound, backfill))


def _on_this_machine(bound: Engine, backfill: Backfill) -> list[str]:
    with bound.connect() as connection:
        landed = connection.execute(text("select count(*) from raw.order_report_row")).scalar_one()
        orders = connection.execute(text("select count(*) from core.amazon_order")).scalar_one()
        tables = connection.execute(text(TABLES)).all()
    steps = {"download, land": backfill.pulling - backfill.clock.making.value}
    steps |= {name: sum(spent) for name, spent in backfill.spent.items()}
    lines = [f"| {name} {landed:,} lines | {s:.0f} s | {landed / s:,.0f} a second |" for name, s in steps.items()]
    for name, spent in backfill.spent.items():
        first, last = (ENDS * landed / WINDOWS / sum(some) for some in (spent[:ENDS], spent[-ENDS:]))
        lines.append(f"| {name}, the first and the last {ENDS} windows | {first:,.0f} | {last:,.0f} a second |")
    over = "" if backfill.landing_memory <= MEMORY_LIMIT else " **over the limit**"
    lines.append(
        f"| memory of the process while landing (limit {MEMORY_LIMIT}) | {backfill.landing_memory:.0f} MB{over} | |"
    )
    lines.append(f"| memory of the process with the checks | {peak_memory():.0f} MB | |")
    lines += [f"| `{table}` | {size / 1e6:,.0f} MB | |" for table, size in tables]
    return [*lines, f"| orders in the warehouse | {orders:,} | |"]


# Of more than a megabyte, with their indexes.
TABLES = """
select format('%I.%I', schemaname, relname), pg_total_relation_size(relid) as size
from pg_stat_user_tables
where pg_total_relation_size(relid) > 1e6
order by size desc
"""


def main() -> None:
    """Simulates with eight and with all windows at once, and writes the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lines", nargs="?", type=int, default=LINES, help=f"order lines in all, {LINES:,} if not given")
    lines = parser.parse_args().lines
    bound, making = lower_bound(), (QUEUED + PROCESSING).seconds
    by_eight = simulate(lines, AT_ONCE)
    at_once = simulate(WINDOWS * len(REGIONS), WINDOWS)  # a line a report: the rates count reports
    calls = by_eight.calls
    operations = sorted({operation for operation, _ in calls})
    rows = [
        f"| {operation} | {' | '.join(str(calls[operation, region]) for region in REGIONS)} |"
        for operation in operations
    ]
    plans = {name: f"{PUBLISHED[name].burst} at once, then {PUBLISHED[name].rate}/s" for name in operations}
    order = PUBLISHED["createReport"]
    RESULTS.write_text(
        "# Two years of orders\n\n"
        f"`python bench/history.py {lines}`, {datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, "
        f"{len(os.sched_getaffinity(0))} processors. One account, {len(REGIONS)} regions, "
        f"{len(settings.load().marketplaces)} marketplaces, {WINDOWS} windows of 30 days.\n\n"
        "| calls | " + " | ".join(REGIONS) + " |\n|---|--:|--:|--:|\n" + "\n".join(rows) + "\n\n"
        f"Amazon's rates, for each region: {json.dumps(plans)[1:-1].replace(chr(34), '')}. "
        "Regions do not share them.\n\n"
        f"The least that they allow: the last of {WINDOWS} reports is ordered after ({WINDOWS} - {order.burst}) / "
        f"{order.rate} = {(WINDOWS - order.burst) / order.rate:.0f} s and made {making} s later.\n\n"
        "| at Amazon's real rates (simulated clock) | | ratio |\n|---|--:|--:|\n"
        f"| least that the rates allow | {bound.total_seconds():.0f} s | limit {LIMIT} |\n"
        f"| `--max-active-runs {AT_ONCE}` | {_compared(by_eight.taken, bound)} |\n"
        f"| all runs at once | {_compared(at_once.taken, bound)} |\n\n"
        "| on this machine | | |\n|---|--:|--:|\n" + "\n".join(by_eight.here) + "\n",
        encoding="utf-8",
    )
    print(RESULTS.read_text(encoding="utf-8"))


def _compared(taken: timedelta, bound: timedelta) -> str:
    over = "" if taken <= LIMIT * bound else " **over the limit**"
    return f"{taken.total_seconds():.0f} s | {taken / bound:.2f}{over}"


if __name__ == "__main__":
    main()
