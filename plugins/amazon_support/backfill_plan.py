"""What a backfill costs, told before it is made: runs, calls to Amazon and their hours at its rates, rows.

The backfill itself is Airflow's: docs/backfill.md. Amazon is asked nothing, and nothing is written.
"""

import json
import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import Connection

from amazon_support.mail.archive import Archive, ArchiveError
from amazon_support.outputs.items import when
from amazon_support.pull import Fetched
from amazon_support.settings import Settings
from amazon_support.sources import account_health, missing_orders
from amazon_support.sources.order_history import LONGEST_WINDOW, plan_history
from amazon_support.sources.orders import BUDGET, OVERLAP, PAGE, SEARCH
from amazon_support.sources.rates import PUBLISHED, Plan
from amazon_support.warehouse import run_step
from amazon_support.window import Window

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
REGIONS = ("na", "eu", "fe")
# Schedules of the DAGs that can be backfilled: how long a run's interval is, and since when they follow each other.
# None: since the backfill's beginning.
INTERVALS: dict[str, tuple[timedelta, datetime | None]] = {
    "orders_history": (LONGEST_WINDOW, None),
    "support_hourly": (HOUR, EPOCH),
    "support_daily": (DAY, EPOCH + 3 * HOUR),
}
REREAD = "mail_reread"
DAGS = (*INTERVALS, REREAD)
# Measured: bench/history.md.
CALLS_A_REPORT = {"createReport": 1, "getReport": 4, "getReportDocument": 1}
BYTES_A_LINE = 800
MADE_IN = timedelta(minutes=5)  # what Amazon usually needs for a report; an hour at most
# What one machine carries, in rows a second: report lines downloaded, landed, checked and published; mails read again.
PACE = {"orders_history": 9_000, REREAD: 300}
SAMPLE = 200  # mails of an account whose size is looked at
# What rows and bytes are, as a table calls them. Bytes that nobody has measured are not shown.
HEADINGS = {
    "orders_history": ("lines", "disk"),
    "support_hourly": ("orders", ""),
    "support_daily": ("feedback", ""),
    REREAD: ("mails", "to read"),
}


@dataclass(frozen=True)
class Place:
    """What a backfill costs an account in a region. Mail has no region.

    Attributes:
        runs: of the DAG that have something to do there.
        calls: to Amazon, by operation.
        hours: until the last answer is there, at the rates that Amazon allows; of mail, until it is read.
        rows: that come, estimated from what came so far; None: nothing is known. bytes: of the warehouse; of mail,
            those to read from the archive; None: unknown.
    """

    account: str
    region: str
    runs: int
    calls: dict[str, int]
    hours: float
    rows: int | None
    bytes: int | None = None


@dataclass(frozen=True)
class Cost:
    """What a backfill would cost. Accounts and regions have rates of their own and run side by side.

    Attributes:
        notes: what a person should know of it.
    """

    dag: str
    places: tuple[Place, ...]
    notes: tuple[str, ...] = ()

    @property
    def hours(self) -> float:
        """Of all together: the slowest place, or this machine with the rows of all."""
        rows = sum(place.rows or 0 for place in self.places)
        return max([rows / PACE.get(self.dag, math.inf) / 3600, *(place.hours for place in self.places)], default=0)

    def json(self) -> str:
        return json.dumps({**asdict(self), "hours": round(self.hours, 2)}, ensure_ascii=False)

    def table(self) -> str:
        """One row a place, then the sum, then the notes."""
        places = [*self.places, self._total()]
        operations = [name for name in PUBLISHED if any(place.calls.get(name) for place in places)]
        table = Fetched([], [self._told(place, operations) for place in places]).table()
        return "\n".join([table, *self.notes])

    def _total(self) -> Place:
        return Place(
            "all",
            "",
            sum(place.runs for place in self.places),
            {name: sum(place.calls.get(name, 0) for place in self.places) for name in PUBLISHED},
            self.hours,
            _sum(place.rows for place in self.places),
            _sum(place.bytes for place in self.places),
        )

    def _told(self, place: Place, operations: Sequence[str]) -> dict[str, Any]:
        rows, size = HEADINGS[self.dag]
        told = {
            "account": place.account,
            "region": place.region,
            "runs": f"{place.runs:,}",
            **{name: f"{place.calls.get(name, 0):,}" for name in operations},
            "hours": f"{place.hours:.1f}",
            rows: "?" if place.rows is None else f"{place.rows:,}",
        }
        return {**told, size: "?" if place.bytes is None else f"{place.bytes / 1e6:,.0f} MB"} if size else told


def _sum(known: Iterator[int | None]) -> int | None:
    """Of those that are known; None if none is."""
    found = [each for each in known if each is not None]
    return sum(found) if found else None


def plan(
    connection: Connection,
    settings: Settings,
    dag: str,
    span: Window,
    accounts: Sequence[str],
    *,
    now: datetime,
    archive: Archive | None = None,
) -> Cost:
    """What `airflow backfill create --dag-id …` over the span would cost; of mail_reread, a run with that window.

    Args:
        dag: one of DAGS. span: aware UTC. now: wall clock, aware UTC.
        archive: of raw mail, for its sizes; None: they are not told.
    """
    if dag == REREAD:
        return Cost(dag, tuple(_mail(connection, span, accounts, archive)))
    asked = _Asked(connection, settings, dag, span, accounts, now)
    found = places(settings, accounts, asked.known)
    costs = tuple(COSTS[dag](asked, account, region) for account, region in found)
    return Cost(dag, costs, tuple(_notes(asked, costs)))


def runs(dag: str, span: Window) -> list[Window]:
    """The intervals of the runs that Airflow makes of the span: those that begin in it, oldest first."""
    every, since = INTERVALS[dag]
    start = span.start if since is None else since - (since - span.start) // every * every
    count = max(0, -((start - span.end) // every))
    return [Window(start + n * every, start + (n + 1) * every, live=False) for n in range(count)]


def known(
    connection: Connection, span: Window, accounts: Sequence[str], now: datetime
) -> dict[tuple[str, str], dict[str, Any]]:
    """By account and region what is known of its orders: see backfill/known.sql."""
    asked = {"accounts": list(accounts), "span_start": span.start, "span_end": span.end, "as_of": now}
    found = run_step(connection, "backfill/known.sql", asked).mappings()
    return {(row["account"], row["region"]): dict(row) for row in found}


def places(
    settings: Settings, accounts: Sequence[str], known: Mapping[tuple[str, str], Any]
) -> Iterator[tuple[str, str]]:
    """Regions where the account was pulled; of a new account, all in which it may have a shop."""
    for account in accounts:
        here = [region for region in REGIONS if (account, region) in known]
        for region in REGIONS:
            if settings.marketplace_ids(settings.account(account), region) and (region in here or not here):
                yield account, region


# ---------- each DAG


@dataclass(frozen=True)
class _Asked:
    """What is asked, and what the answer is taken from."""

    connection: Connection
    settings: Settings
    dag: str
    span: Window
    accounts: Sequence[str]
    now: datetime

    @cached_property
    def runs(self) -> list[Window]:
        return runs(self.dag, self.span)

    @cached_property
    def windows(self) -> list[Window]:
        """What of the runs Amazon still reports on: one window a run."""
        return [part for run in self.runs for part in plan_history(run.start, run.end, self.now)]

    @cached_property
    def known(self) -> dict[tuple[str, str], dict[str, Any]]:
        return known(self.connection, self.span, self.accounts, self.now)

    @cached_property
    def feedback(self) -> dict[tuple[str, str], int]:
        """Of the newest report of each account and marketplace."""
        found = run_step(self.connection, "backfill/feedback.sql", {"accounts": list(self.accounts)})
        return {(row.account, row.marketplace): row.feedback for row in found}

    @cached_property
    def _rates(self) -> dict[tuple[str, str, str], Plan]:
        found = run_step(self.connection, "backfill/rates.sql", {"accounts": list(self.accounts)})
        return {(row.account, row.region, row.operation): Plan(row.rate, row.burst) for row in found}

    def marketplace_ids(self, account: str, region: str) -> list[str]:
        return self.settings.marketplace_ids(self.settings.account(account), region)

    def lines_a_day(self, account: str, region: str) -> float | None:
        found: float | None = self.known.get((account, region), {}).get("lines_a_day")
        return found

    def rate(self, account: str, region: str, operation: str) -> Plan:
        """As Amazon named it last, else as it is published."""
        return self._rates.get((account, region, operation), PUBLISHED[operation])

    def wait(self, account: str, region: str, calls: Mapping[str, int]) -> timedelta:
        """Until the last of so many calls may be made."""
        rates = {name: self.rate(account, region, name) for name in calls}
        seconds = [max(0, number - rates[name].burst) / rates[name].rate for name, number in calls.items()]
        return timedelta(seconds=max(seconds, default=0))

    def place(self, account: str, region: str, runs: int, calls: dict[str, int], rows: float | None) -> Place:
        wait = self.wait(account, region, calls) + (MADE_IN if calls["createReport"] else timedelta())
        return Place(account, region, runs, calls, wait / HOUR, None if rows is None else round(rows))


def _reports(number: int) -> dict[str, int]:
    return {name: each * number for name, each in CALLS_A_REPORT.items()}


def _orders_history(asked: _Asked, account: str, region: str) -> Place:
    """One report a run."""
    number, lines = len(asked.windows), asked.lines_a_day(account, region)
    days = sum((window.end - window.start for window in asked.windows), timedelta()) / DAY
    place = asked.place(account, region, number, _reports(number), None if lines is None else lines * days)
    return place if place.rows is None else replace(place, bytes=place.rows * BYTES_A_LINE)


def _hourly(asked: _Asked, account: str, region: str) -> Place:
    """Orders by search as long as it has its turns, else by report; orders that mail named and nobody has seen."""
    number, lines = len(asked.runs), asked.lines_a_day(account, region)
    orders = None if lines is None else lines * ((HOUR + OVERLAP) / DAY)
    pages = max(1, math.ceil((orders or 0) / PAGE))
    searched = _searched(asked, account, region, number, pages)
    calls = {SEARCH: searched * pages, **_reports(number - searched), "getOrder": _missing(asked, account, region)}
    return asked.place(account, region, number, calls, None if orders is None else orders * number)


def _searched(asked: _Asked, account: str, region: str, number: int, pages: int) -> int:
    """How many of the hours are searched: an hour for which searching has no turn within BUDGET goes by report, as
    sources.orders decides. Runs are taken to follow each other as fast as the rates let them."""

    def too_late(searched: int) -> bool:
        reported = asked.wait(account, region, _reports(number - searched))
        return asked.wait(account, region, {SEARCH: searched * pages}) > reported + BUDGET

    if asked.wait(account, region, {SEARCH: pages}) > BUDGET:
        return 0
    return bisect_left(range(1, number + 1), True, key=too_late)


def _missing(asked: _Asked, account: str, region: str) -> int:
    countries = [asked.settings.by_id[each].country for each in asked.marketplace_ids(account, region)]
    due = {
        "account": account,
        "region": region,
        "marketplaces": countries,
        "now": asked.now,
        "most": missing_orders.MOST * len(asked.runs),
    }
    return len(run_step(asked.connection, "sources/missing_orders.sql", due).all())


def _daily(asked: _Asked, account: str, region: str) -> Place:
    """A feedback report a marketplace and run; account health of runs that ended within a day."""
    ids, number = asked.marketplace_ids(account, region), len(asked.runs)
    told = [asked.feedback.get((account, asked.settings.by_id[each].country)) for each in ids]
    feedback = _sum(iter(told))
    calls = _reports(len(ids) * number + 2 * _with_health(asked))
    return asked.place(account, region, number, calls, None if feedback is None else feedback * number)


def _with_health(asked: _Asked) -> int:
    return sum(asked.now - run.end < account_health.PAST for run in asked.runs)


COSTS: dict[str, Callable[[_Asked, str, str], Place]] = {
    "orders_history": _orders_history,
    "support_hourly": _hourly,
    "support_daily": _daily,
}


def _mail(connection: Connection, span: Window, accounts: Sequence[str], archive: Archive | None) -> Iterator[Place]:
    """No call to Amazon, but each mail that was received in the span from the archive."""
    asked = {"accounts": list(accounts), "since": span.start, "until": span.end, "sample": SAMPLE}
    found = {row.account: row for row in run_step(connection, "backfill/mails.sql", asked)}
    for account in accounts:
        mails = found[account].mails if account in found else 0
        sizes = list(_sizes(archive, found[account].drawn)) if account in found and archive else []
        size = round(sum(sizes) / len(sizes) * mails) if sizes else None if mails else 0
        yield Place(account, "", 1, {}, mails / PACE[REREAD] / 3600, mails, size)


def _sizes(archive: Archive, names: Sequence[str]) -> Iterator[int]:
    """Of those that are there: the DAG goes on without a mail that the archive lost, too."""
    for name in names:
        try:
            yield archive.size(name)
        except ArchiveError:
            continue


def _notes(asked: _Asked, costs: Sequence[Place]) -> Iterator[str]:
    """What a person should know beside the figures."""
    if asked.dag == "orders_history":
        oldest = min((window.start for window in asked.windows), default=asked.span.end)
        if oldest > asked.span.start:
            yield f"Amazon keeps two years: nothing before {when(oldest)} can be had."
    if asked.dag == "support_hourly" and (reported := sum(place.calls["createReport"] for place in costs)):
        yield (
            f"{reported:,} of {sum(place.runs for place in costs):,} hours go by report: Amazon allows no search for "
            f"them within {BUDGET / timedelta(minutes=1):.0f} minutes. For orders alone, orders_history costs far less."
        )
    if asked.dag == "support_daily" and asked.runs:
        yield (
            f"{_with_health(asked):,} of {len(asked.runs):,} runs bring account health: Amazon tells only today's. "
            "A report has the feedback of 90 days: for feedback alone one run in 90 days is enough."
        )
    if unknown := sum(place.rows is None for place in costs):
        rows, _ = HEADINGS[asked.dag]
        yield f"{rows.capitalize()} of {unknown} places are unknown: nothing was ever pulled there. Run one first."
