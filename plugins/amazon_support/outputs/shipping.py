"""Orders that sellers have to ship themselves: how many, how late, how many were left at the end of the day."""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from amazon_support.settings import Settings
from amazon_support.warehouse import run_step


@dataclass(frozen=True)
class OrdersToShip:
    """Seller-fulfilled orders of one account and marketplace that are not shipped, as of an instant.

    Attributes:
        to_ship: all of them, partially shipped ones too.
        late: past their ship-by time. soon: to be shipped within `policy.warn_shipment_before`.
        undated: without a known ship-by time: only a report has told of them yet.
        next_ship_by: the earliest ship-by time; None without a known one.
        left_over: how many were left at the end of the marketplace's last day; should be 0.
        day_end: when that day ended. All times are aware UTC.
    """

    account: str
    marketplace: str
    to_ship: int
    late: int
    soon: int
    undated: int
    next_ship_by: datetime | None
    left_over: int
    day_end: datetime


def orders_to_ship(connection: Connection, settings: Settings, *, as_of: datetime) -> list[OrdersToShip]:
    """Every account and marketplace with orders to ship, now or at the end of the marketplace's last day.

    Taken from the orders already pulled; no call to Amazon.
    """
    parameters = {
        "as_of": as_of,
        "ship_soon": settings.policy.warn_shipment_before,
        "zones": json.dumps({m.country: m.timezone for m in settings.marketplaces}),
    }
    rows = run_step(connection, "marts/unshipped_orders.sql", parameters).mappings()
    return [OrdersToShip(**row) for row in rows]


def render(sites: list[OrdersToShip]) -> str:
    """A lined-up table; one line where nothing is to be shipped."""
    if not sites:
        return "Nothing to ship."
    headings = ["account", "site", "to ship", "late", "soon", "no ship-by", "left at day's end"]
    rows = [
        [s.account, s.marketplace, *(str(n) for n in (s.to_ship, s.late, s.soon, s.undated, s.left_over))]
        for s in sites
    ]
    widths = [max(len(row[column]) for row in [headings, *rows]) for column in range(len(headings))]
    lines = [
        "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [headings, *rows]
    ]
    return "\n".join(lines)
