"""Pulls changed orders of one account and region and lands them as one batch."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from amazon_support.settings import Settings
from amazon_support.sources import positions
from amazon_support.sources.amazon import AmazonClient
from amazon_support.warehouse.land import land_orders
from amazon_support.window import Window

SOURCE = "orders"
OVERLAP = timedelta(minutes=10)  # Amazon's index lags: look back a little before the last pull's end
LAG = timedelta(minutes=2)  # searchOrders refuses a younger upper bound


@dataclass(frozen=True)
class Pulled:
    """What one pull brought: references and counts, fit for XCom."""

    account: str
    region: str
    batch_id: int | None
    orders: int
    calls: dict[str, int]


def pull_orders(engine: Engine, client: AmazonClient, settings: Settings, window: Window, *, now: datetime) -> Pulled:
    """Lands all orders changed since the last pull (live) or inside the window (past intervals).

    Args:
        window: aware UTC. A live pull reaches back to the watermark, or to `policy.first_import` the first time.
        now: wall clock, only for Amazon's rule that the upper bound must lie two minutes back.
    """
    credentials = client.credentials
    with engine.begin() as connection:
        mark = positions.position(connection, credentials.account, SOURCE, credentials.region)
    span = _span(window, mark, now, settings.policy.first_import)
    ids = settings.marketplace_ids(settings.account(credentials.account), credentials.region)
    orders = []
    if ids and span.start < span.end:
        for page in client.search_orders(ids, after=span.start, before=span.end):
            orders.extend(page)
    with engine.begin() as connection:
        batch_id = None
        if orders:
            batch_id = land_orders(
                connection,
                account=credentials.account,
                region=credentials.region,
                window=window,
                orders=orders,
            )
        if window.live and span.start < span.end:
            to = {"updated_before": span.end.isoformat()}
            positions.move(connection, credentials.account, SOURCE, credentials.region, to)
    return Pulled(credentials.account, credentials.region, batch_id, len(orders), client.calls)


@dataclass(frozen=True)
class _Span:
    start: datetime
    end: datetime


def _span(window: Window, mark: dict[str, str] | None, now: datetime, first_import: timedelta) -> _Span:
    end = min(window.end, now - LAG)
    if not window.live:
        return _Span(window.start - OVERLAP, end)
    if mark is None:
        return _Span(window.end - first_import, end)
    return _Span(datetime.fromisoformat(mark["updated_before"]) - OVERLAP, end)
