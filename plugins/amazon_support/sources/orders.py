"""Changed orders of one account and region: by searching, or by report when searching cannot carry them."""

import logging
import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection, Engine

from amazon_support.settings import Settings
from amazon_support.sources import positions
from amazon_support.sources.amazon import AmazonClient, OrderPage
from amazon_support.sources.errors import SourceError, TokenExpired
from amazon_support.sources.memory import Memory
from amazon_support.sources.order_history import LAG, Pulled, pull_reports
from amazon_support.sources.order_history import MEMORY as REPORTS_MEMORY
from amazon_support.sources.rates import PUBLISHED
from amazon_support.warehouse import run_step
from amazon_support.warehouse.land import land_orders
from amazon_support.window import Window

log = logging.getLogger(__name__)

SOURCE = "orders"  # of the watermark
MEMORY = "orders"
SEARCH = "searchOrders"
PAGE = 100  # orders, the most that Amazon gives at once
OVERLAP = timedelta(minutes=10)  # Amazon's index lags: look back a little before the last pull's end
# How long an hourly pull may wait for its turns before the report is quicker.
BUDGET = timedelta(minutes=10)
# Reports are made from a copy of the orders that lags some minutes behind what searching shows, more when Amazon is
# busy. A change younger than this when the report was ordered may be missing from it: the next pull reads it again.
REPORT_LAG = timedelta(minutes=30)
RECENT = timedelta(days=7)  # what the usual number of changes is taken from
HOUR = timedelta(hours=1)


def pull_orders(
    engine: Engine,
    client: AmazonClient,
    settings: Settings,
    window: Window,
    *,
    memory: Memory,
    folder: Path,
    now: datetime,
) -> Pulled:
    """Lands all orders changed since the last pull (live) or inside the window (past intervals).

    One chain of searches serves all marketplaces. When more orders are expected than the rate of searchOrders can
    carry in time, or the chain turns out that long, the same span goes through the all-orders report, and log and
    note say so. The report tells nothing of buyers.

    Args:
        window: aware UTC. A live pull reaches back to the watermark, or to `policy.first_import` the first time.
        memory: how far the pull has come; called again with the same memory it goes on there.
        folder: for documents on their way.
        now: wall clock, for Amazon's rule that the upper bound must lie two minutes back.

    Raises: ComeBackAt when the next call or a report has to be waited for; SourceError.
    """
    account, region = client.credentials.account, client.credentials.region
    ids = settings.marketplace_ids(settings.account(account), region)
    progress = _remembered(memory) or (_begin(engine, client, settings, window, now) if ids else None)
    if progress is None or not ids:
        return Pulled(account, region, [], 0, "nothing", client.calls)
    progress.remember(memory)
    if progress.report_because is None:
        _search(engine, client, ids, progress, memory)
    if progress.report_because is not None:
        _report(engine, client, settings, progress, memory, folder)
    memory.delete(MEMORY)
    memory.delete(REPORTS_MEMORY)
    via = "report" if progress.report_because else "search"
    return Pulled(account, region, progress.batch_ids, progress.orders, via, client.calls, progress.report_because)


def fetch_orders(
    client: AmazonClient, settings: Settings, account: str, start: datetime, end: datetime
) -> Iterator[dict[str, Any]]:
    """Orders of the account that changed in [start, end], as searchOrders gives them; for pulls by hand.

    Args:
        start, end: aware UTC; the last two minutes are left out, as Amazon demands.
    """
    ids = settings.marketplace_ids(settings.account(account), client.credentials.region)
    end = min(end, client.clock() - LAG)
    if ids and start < end:
        for page in client.search_orders(ids, after=start, before=end):
            yield from page.orders


def fetch_order(client: AmazonClient, order_id: str) -> dict[str, Any]:
    """One order, as getOrder gives it.

    Raises: NotFound if Amazon does not know it.
    """
    return client.get_order(order_id)


# ---------- what to pull, and how


class _Progress(BaseModel):
    """A pull on its way, as it is remembered between attempts.

    Attributes:
        span: decided by the first attempt: an hour later it must still be the same.
        begun_at: wall clock of the first attempt.
        calls_left: how many more searches may be made before the report is quicker.
        report_because: why the report is used; None while searching.
        token: of the next page; None for the first.
        begun_anew: whether a token expired once already.
    """

    span: Window
    begun_at: datetime
    calls_left: int
    report_because: str | None
    token: str | None = None
    begun_anew: bool = False
    batch_ids: list[int] = []
    orders: int = 0

    def remember(self, memory: Memory) -> None:
        memory.set(MEMORY, self.model_dump(mode="json"))


def _remembered(memory: Memory) -> _Progress | None:
    value = memory.get(MEMORY)
    return None if value is None else _Progress.model_validate(value)


def _begin(engine: Engine, client: AmazonClient, settings: Settings, window: Window, now: datetime) -> _Progress | None:
    with engine.connect() as connection:
        span = _span(window, _watermark(connection, client), now, settings.policy.first_import)
        if span is None:
            return None
        changes = _recent_changes(connection, client, span.start)
    affordable = _affordable(client)
    because = _report_because(span, changes, affordable)
    if because:
        log.info("%s: %s", client.credentials, because)
    return _Progress(span=span, begun_at=now, calls_left=affordable, report_because=because)


def _span(window: Window, mark: datetime | None, now: datetime, first_import: timedelta) -> Window | None:
    end = min(window.end, now - LAG)
    if not window.live:
        start = window.start - OVERLAP
    elif mark is None:
        start = window.end - first_import
    else:
        start = mark - OVERLAP
    return Window(start, end, window.live) if start < end else None


def _report_because(span: Window, changes: int, affordable: int) -> str | None:
    """Why the span must go through the report.

    Args:
        changes: orders that changed in RECENT before the span. Where nobody knows of any, searching finds out; it tells
            more than the report.
        affordable: searches that can be made within BUDGET.
    """
    length = span.end - span.start
    expected = math.ceil(changes * (length / RECENT))
    if max(1, math.ceil(expected / PAGE)) <= affordable:
        return None
    return (
        f"more than {affordable * PAGE} changed orders expected ({expected}), {affordable} calls of {SEARCH} "
        f"affordable within {BUDGET / timedelta(minutes=1):.0f} minutes: using the all-orders report"
    )


def _recent_changes(connection: Connection, client: AmazonClient, before: datetime) -> int:
    parameters = {
        "account": client.credentials.account,
        "region": client.credentials.region,
        "since": before - RECENT,
        "before": before,
    }
    changes: int = run_step(connection, "sources/recent_changes.sql", parameters).scalar_one()
    return changes


def _affordable(client: AmazonClient) -> int:
    return client.limiter.affordable(SEARCH, within=BUDGET) if client.limiter else PUBLISHED[SEARCH].burst


# ---------- by search


def _search(engine: Engine, client: AmazonClient, ids: list[str], progress: _Progress, memory: Memory) -> None:
    try:
        _follow_pages(engine, client, ids, progress, memory)
    except TokenExpired:
        if progress.begun_anew:
            memory.delete(MEMORY)
            raise SourceError(
                f"Amazon twice no longer accepted the page token of {SEARCH} ({client.credentials}): the pages come "
                "too slowly. Run the task again; it begins anew."
            ) from None
        log.warning("%s: the page token of %s has expired, the span is searched again.", client.credentials, SEARCH)
        progress.token, progress.begun_anew = None, True
        progress.remember(memory)
        _search(engine, client, ids, progress, memory)


def _follow_pages(engine: Engine, client: AmazonClient, ids: list[str], progress: _Progress, memory: Memory) -> None:
    """Lands page by page until the last one, or until progress says that the report is quicker.

    A process killed between the commit and the memory lands a page again: two batches with the same orders, of which
    publishing keeps each once, by its key and time of update.
    """
    span = progress.span
    for page in client.search_orders(ids, after=span.start, before=span.end, token=progress.token):
        with engine.begin() as connection:
            if page.orders:
                progress.batch_ids.append(_land(connection, client, span, page))
            if page.next_token is None:
                _move_watermark(connection, client, span, to=span.end)
                positions.note_pulled(connection, client.credentials.account, SOURCE, client.credentials.region, span)
        progress.orders += len(page.orders)
        progress.token = page.next_token
        progress.calls_left -= 1
        if page.next_token is None:
            return
        affordable = min(progress.calls_left, _affordable(client))
        if affordable < 1:
            progress.report_because = (
                f"more than {progress.orders} changed orders found, no call of {SEARCH} affordable within "
                f"{BUDGET / timedelta(minutes=1):.0f} minutes: using the all-orders report"
            )
            log.info("%s: %s", client.credentials, progress.report_because)
        progress.remember(memory)
        if progress.report_because:
            return


def _land(connection: Connection, client: AmazonClient, span: Window, page: OrderPage) -> int:
    return land_orders(
        connection,
        account=client.credentials.account,
        region=client.credentials.region,
        window=span,
        orders=page.orders,
    )


# ---------- by report


def _report(
    engine: Engine,
    client: AmazonClient,
    settings: Settings,
    progress: _Progress,
    memory: Memory,
    folder: Path,
) -> None:
    span = progress.span
    pulled = pull_reports(engine, client, settings, span, memory=memory, folder=folder, now=progress.begun_at)
    progress.batch_ids += pulled.batch_ids
    progress.orders += pulled.lines
    with engine.begin() as connection:
        _move_watermark(connection, client, span, to=min(span.end, progress.begun_at - REPORT_LAG))


# ---------- the watermark


def _watermark(connection: Connection, client: AmazonClient) -> datetime | None:
    mark = positions.position(connection, client.credentials.account, SOURCE, client.credentials.region)
    return datetime.fromisoformat(mark["updated_before"]) if mark else None


def _move_watermark(connection: Connection, client: AmazonClient, span: Window, *, to: datetime) -> None:
    """Remembers that everything changed before `to` was pulled; live pulls only, and never backwards."""
    mark = _watermark(connection, client)
    if span.live and (mark is None or mark < to):
        position = {"updated_before": to.isoformat()}
        positions.move(connection, client.credentials.account, SOURCE, client.credentials.region, position)
