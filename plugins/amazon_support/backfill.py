"""What a backfill of orders costs before it, how far it is while it runs, and whether anything is missing after it.

The backfill itself is Airflow's, of the DAG orders_history: docs/backfill.md.
"""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from amazon_support import charsets
from amazon_support.outputs.items import when
from amazon_support.pull import Errand, Fetched, patiently
from amazon_support.settings import Settings
from amazon_support.sources import reports
from amazon_support.sources.errors import BadDocument
from amazon_support.sources.order_history import LONGEST_WINDOW, plan_history
from amazon_support.sources.rates import PUBLISHED, Plan
from amazon_support.sources.reports import ReportRequest
from amazon_support.warehouse import run_step
from amazon_support.warehouse.land.order_report import USUAL_CHARSET
from amazon_support.window import Window

DAY = timedelta(days=1)
REGIONS = ("na", "eu", "fe")
# Measured: bench/history.md.
CALLS_A_REPORT = {"createReport": 1, "getReport": 4, "getReportDocument": 1}
BYTES_A_LINE = 800
LINES_A_SECOND = 9_000  # downloaded, landed, checked and published by one machine
MADE_IN = timedelta(minutes=5)  # what Amazon usually needs for a report; an hour at most
# The same lines as the history's own report, by when the order was placed: that never changes, so days can be compared.
# Source: Selling Partner API, report type values, order tracking reports.
COUNTED = "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_ORDER_DATE_GENERAL"


@dataclass(frozen=True)
class Place:
    """An account in a region, and what a span of history costs or has brought there.

    Attributes:
        windows: runs of orders_history that the span needs, one report each.
        calls: by operation. hours: until the last report is there, at the rates that Amazon allows.
        lines: of the reports, estimated from what is known; None: nothing is known. megabytes: of the warehouse.
    """

    account: str
    region: str
    windows: int
    calls: dict[str, int]
    hours: float
    lines: int | None
    megabytes: int | None


@dataclass(frozen=True)
class Cost:
    """What a backfill would cost. Accounts and regions have rates of their own and run side by side.

    Attributes:
        left_out: of the span, what is too old for Amazon; empty: nothing.
    """

    places: tuple[Place, ...]
    left_out: str

    @property
    def hours(self) -> float:
        """Of all together: the slowest place, or this machine with the lines of all."""
        lines = sum(place.lines or 0 for place in self.places)
        return max([lines / LINES_A_SECOND / 3600, *(place.hours for place in self.places)], default=0)

    def json(self) -> str:
        return json.dumps({**asdict(self), "hours": round(self.hours, 2)}, ensure_ascii=False)

    def table(self) -> str:
        """One row a place, then the sum."""
        rows = [_told(place.account, place.region, place) for place in self.places]
        known = [place.lines for place in self.places if place.lines is not None]
        total = Place(
            "all",
            "",
            sum(place.windows for place in self.places),
            {name: sum(place.calls[name] for place in self.places) for name in CALLS_A_REPORT},
            self.hours,
            sum(known) if known else None,
            sum(place.megabytes or 0 for place in self.places) if known else None,
        )
        table = Fetched([], [*rows, _told("all", "", total)]).table()
        unknown = len(self.places) - len(known)
        notes = [self.left_out] if self.left_out else []
        if unknown:
            notes.append(f"Lines of {unknown} places are unknown: nothing was ever pulled there. Run one window first.")
        return "\n".join([table, *notes])


def _told(account: str, region: str, place: Place) -> dict[str, Any]:
    return {
        "account": account,
        "region": region,
        "reports": f"{place.windows:,}",
        **{name: f"{calls:,}" for name, calls in place.calls.items()},
        "hours": f"{place.hours:.1f}",
        "lines": "?" if place.lines is None else f"{place.lines:,}",
        "disk": "?" if place.megabytes is None else f"{place.megabytes:,} MB",
    }


def plan(
    connection: Connection,
    settings: Settings,
    span: Window,
    accounts: Sequence[str],
    *,
    now: datetime,
) -> Cost:
    """What `airflow backfill create --dag-id orders_history` over the span would cost. Asks Amazon nothing.

    Args:
        span: aware UTC. now: wall clock: Amazon reports two years back only.
    """
    known = _known(connection, span, accounts, now)
    rates: dict[tuple[str, str, str], Plan] = {
        (row.account, row.region, row.operation): Plan(row.rate, row.burst)
        for row in run_step(connection, "backfill/rates.sql", {"accounts": list(accounts)})
    }
    windows = [part for run in _runs(span) for part in plan_history(run.start, run.end, now)]
    days = sum((window.end - window.start for window in windows), timedelta()) / DAY
    places = []
    for account, region in _places(settings, accounts, known):
        calls = {name: number * len(windows) for name, number in CALLS_A_REPORT.items()}
        waits = [_wait(number, rates.get((account, region, name), PUBLISHED[name])) for name, number in calls.items()]
        lines_a_day = known[account, region]["lines_a_day"] if (account, region) in known else None
        lines = None if lines_a_day is None else round(lines_a_day * days)
        places.append(
            Place(
                account,
                region,
                windows=len(windows),
                calls=calls,
                hours=(max(waits) + MADE_IN) / timedelta(hours=1) if windows else 0,
                lines=lines,
                megabytes=None if lines is None else round(lines * BYTES_A_LINE / 1e6),
            )
        )
    oldest = min((window.start for window in windows), default=span.end)
    left_out = "" if oldest <= span.start else f"Amazon keeps two years: nothing before {when(oldest)} can be had."
    return Cost(tuple(places), left_out)


def _runs(span: Window) -> Iterator[Window]:
    """The windows of the DAG's runs, as Airflow makes them from the span's start."""
    start = span.start
    while start < span.end:
        yield Window(start, start + LONGEST_WINDOW, live=False)
        start += LONGEST_WINDOW


def _wait(calls: int, rate: Plan) -> timedelta:
    """Until the last of so many calls may be made."""
    return timedelta(seconds=max(0, calls - rate.burst) / rate.rate)


def _known(
    connection: Connection, span: Window, accounts: Sequence[str], now: datetime
) -> dict[tuple[str, str], dict[str, Any]]:
    asked = {"accounts": list(accounts), "span_start": span.start, "span_end": span.end, "as_of": now}
    found = run_step(connection, "backfill/known.sql", asked).mappings()
    return {(row["account"], row["region"]): dict(row) for row in found}


def _places(
    settings: Settings, accounts: Sequence[str], known: Mapping[tuple[str, str], Any]
) -> Iterator[tuple[str, str]]:
    """Regions where the account was pulled; of a new account, all in which it may have a shop."""
    for account in accounts:
        here = [region for region in REGIONS if (account, region) in known]
        for region in REGIONS:
            if settings.marketplace_ids(settings.account(account), region) and (region in here or not here):
                yield account, region


# ---------- while it runs


def progress(
    connection: Connection, settings: Settings, span: Window, accounts: Sequence[str], *, now: datetime
) -> Fetched:
    """How much of the span has been pulled, and what became of it: one row an account and region."""
    known = _known(connection, span, accounts, now)
    whole = (span.end - span.start).total_seconds()
    rows: list[dict[str, Any]] = []
    for account, region in _places(settings, accounts, known):
        row = known.get((account, region), {})
        share = row.get("pulled_seconds", 0) / whole
        gap = (row["gap_start"], row["gap_end"]) if row.get("is_pulled") else (span.start, span.end)
        rows.append(
            {
                "account": account,
                "region": region,
                "pulled": f"{int(share * 1000) / 10:.1f} %",
                "bar": "█" * int(share * 20) + "░" * (20 - int(share * 20)),
                "lines": f"{row.get('lines', 0):,}",
                "to check or publish": f"{row.get('waiting', 0):,} batches" if row.get("waiting") else "",
                "refused": f"{row['refused']:,} batches" if row.get("refused") else "",
                "last": when(row["last_landed_at"]) if row.get("last_landed_at") else "",
                "first gap": f"{gap[0]:%Y-%m-%d} to {gap[1]:%Y-%m-%d}" if gap[0] else "",
            }
        )
    return Fetched(rows, rows)


# ---------- after it


@dataclass(frozen=True)
class Day:
    """Orders placed on a day (UTC) in an account's region: as Amazon counts them, and as the warehouse does.

    Attributes:
        missing: orders that Amazon has and the warehouse lacks. surplus: the other way round. example: of either.
    """

    account: str
    region: str
    day: date
    amazon: int
    warehouse: int
    missing: int
    surplus: int
    example: str = ""


@dataclass
class Verification:
    """Day by day, each account and region."""

    days: list[Day] = field(default_factory=list)

    @property
    def differences(self) -> list[Day]:
        return [day for day in self.days if day.missing or day.surplus]

    def json(self) -> str:
        """One object a day and line."""
        return "\n".join(json.dumps(asdict(day), default=str) for day in self.days)

    def table(self, *, all_days: bool) -> str:
        """The days, or only those that differ; then one row an account and region."""
        sums: dict[tuple[str, str], list[Day]] = defaultdict(list)
        for day in self.days:
            sums[day.account, day.region].append(day)
        totals = [
            Day(account, region, days[0].day, **{name: sum(getattr(day, name) for day in days) for name in COUNTS})
            for (account, region), days in sums.items()
        ]
        rows = [_counted(str(day.day), day) for day in (self.days if all_days else self.differences)]
        return Fetched([], [*rows, *(_counted("all days", total) for total in totals)]).table()


COUNTS = ("amazon", "warehouse", "missing", "surplus")


def _counted(day: str, counts: Day) -> dict[str, Any]:
    return {
        "day": day,
        "account": counts.account,
        "region": counts.region,
        **{name: f"{getattr(counts, name):,}" for name in COUNTS},
        "verdict": "differs" if counts.missing or counts.surplus else "ok",
        "such as": counts.example,
    }


def verify(connection: Connection, errand: Errand) -> list[Day]:
    """Counts the orders of each day of the errand's window again at Amazon, and compares them with the warehouse.

    One report in 30 days. An order that Amazon has and the warehouse lacks was never pulled or is set aside; one that
    Amazon lacks is in the warehouse alone (Amazon forgets, too).

    Raises: SourceError if Amazon cannot be asked.
    """
    found: list[Day] = []
    # From the span's start on, so that no day is in two windows.
    runs = [Window(run.start, min(run.end, errand.window.end), live=False) for run in _runs(errand.window)]
    for window in [part for run in runs for part in plan_history(run.start, run.end, errand.now)]:
        errand.progress(f"Counting orders from {window.start:%Y-%m-%d} on")
        theirs = patiently(lambda window=window: _at_amazon(errand, window), errand.progress)  # type: ignore[misc]
        found += _compared(errand, _in_warehouse(connection, errand, window), theirs)
    return found


def _at_amazon(errand: Errand, window: Window) -> dict[str, date]:
    """The day of each order that was placed in the window."""
    request = ReportRequest(COUNTED, tuple(errand.marketplace_ids), window.start, window.end)
    with reports.fetched(errand.client, errand.memory, request, errand.folder) as document:
        found = {} if document is None else dict(_orders_in(document))
    reports.forget(errand.memory, request)
    return {order: placed.date() for order, placed in found.items() if window.start <= placed < window.end}


def _orders_in(document: reports.Document) -> Iterator[tuple[str, datetime]]:
    with document.open_bytes() as stream:
        codec = charsets.codec(document.charset, stream.read(3), USUAL_CHARSET)
        stream.seek(0)
        lines = csv.DictReader(
            io.TextIOWrapper(stream, codec, errors="replace", newline=""), delimiter="\t", quoting=csv.QUOTE_NONE
        )
        if not {"amazon-order-id", "purchase-date"} <= set(lines.fieldnames or ()):
            raise BadDocument("Amazon's report of orders lacks amazon-order-id or purchase-date: it cannot be counted.")
        for line in lines:
            order, placed = line["amazon-order-id"], line["purchase-date"]
            if order and placed:
                yield order, datetime.fromisoformat(placed).astimezone(UTC)


def _in_warehouse(connection: Connection, errand: Errand, window: Window) -> dict[str, date]:
    who = errand.client.credentials
    asked = {"account": who.account, "region": who.region, "span_start": window.start, "span_end": window.end}
    return {row.order_id: row.day for row in run_step(connection, "backfill/orders_by_day.sql", asked)}


def _compared(errand: Errand, ours: Mapping[str, date], theirs: Mapping[str, date]) -> list[Day]:
    who = errand.client.credentials
    sets: dict[date, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for side, orders in enumerate((theirs, ours)):
        for order, day in orders.items():
            sets[day][side].add(order)
    days = []
    for day, (amazon, warehouse) in sorted(sets.items()):
        missing, surplus = amazon - warehouse, warehouse - amazon
        example = min(missing or surplus, default="")
        days.append(
            Day(
                who.account,
                who.region,
                day,
                amazon=len(amazon),
                warehouse=len(warehouse),
                missing=len(missing),
                surplus=len(surplus),
                example=example,
            )
        )
    return days
