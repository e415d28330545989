"""How far a backfill of orders is while it runs, and whether anything is missing after it.

The backfill itself is Airflow's, of the DAG orders_history: docs/backfill.md. What one costs: backfill_plan.py.
"""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection

from amazon_support import charsets
from amazon_support.backfill_plan import known, places, runs
from amazon_support.outputs.items import when
from amazon_support.pull import Errand, Fetched, patiently
from amazon_support.settings import Settings
from amazon_support.sources import reports
from amazon_support.sources.errors import BadDocument
from amazon_support.sources.order_history import plan_history
from amazon_support.sources.reports import ReportRequest
from amazon_support.warehouse import run_step
from amazon_support.warehouse.land.order_report import USUAL_CHARSET
from amazon_support.window import Window

# The same lines as the history's own report, by when the order was placed: that never changes, so days can be compared.
# Source: Selling Partner API, report type values, order tracking reports.
COUNTED = "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_ORDER_DATE_GENERAL"
HISTORY = "orders_history"


# ---------- while it runs


def progress(
    connection: Connection, settings: Settings, span: Window, accounts: Sequence[str], *, now: datetime
) -> Fetched:
    """How much of the span has been pulled, and what became of it: one row an account and region."""
    found = known(connection, span, accounts, now)
    whole = (span.end - span.start).total_seconds()
    rows: list[dict[str, Any]] = []
    for account, region in places(settings, accounts, found):
        row = found.get((account, region), {})
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
    spans = [(run.start, min(run.end, errand.window.end)) for run in runs(HISTORY, errand.window)]
    for window in [part for start, end in spans for part in plan_history(start, end, errand.now)]:
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
