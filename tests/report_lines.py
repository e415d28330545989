"""Builders for the all-orders report: lines of invented orders, and what lands of them."""

import tempfile
from pathlib import Path
from typing import Any

from landing import NOON, ORDER, WINDOW, iso
from sqlalchemy import Connection

from amazon_support.sources.reports import Document
from amazon_support.warehouse.land import land_order_report
from amazon_support.window import Window

BEFORE = "2026-03-10T11:30:00+00:00"  # half an hour before noon, as the report writes it


def report_line(order_id: str = ORDER, **changes: Any) -> dict[str, Any]:
    """One item of an unshipped seller-fulfilled order from Germany; "_" in a name stands for "-"."""
    return {
        "amazon-order-id": order_id,
        "purchase-date": iso(NOON).replace("10T12", "08T12"),
        "last-updated-date": BEFORE,
        "order-status": "Unshipped",
        "fulfillment-channel": "Merchant",
        "sales-channel": "Amazon.de",
        "ship-service-level": "SecondDay",
        "product-name": "Teapot",
        "sku": "TEAPOT",
        "asin": "B000000001",
        "quantity": "1",
        "currency": "EUR",
        "item-price": "24.90",
        "ship-city": "Musterstadt",
        "ship-country": "DE",
    } | {name.replace("_", "-"): value for name, value in changes.items()}


def flat_file(*lines: dict[str, Any]) -> str:
    headings = list(dict.fromkeys(name for line in lines for name in line))
    rows = [headings, *([str(line.get(name, "")) for name in headings] for line in lines)]
    return "".join("\t".join(row) + "\r\n" for row in rows)


def land_some_lines(
    connection: Connection,
    *lines: dict[str, Any] | str,
    account: str = "main",
    window: Window = WINDOW,
    charset: str | None = "Cp1252",
) -> tuple[int | None, int]:
    """Lands a report of the lines; a text is a document of its own."""
    content = "".join(lines) if isinstance(lines[0], str) else flat_file(*lines)  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report"
        path.write_bytes(content.encode("cp1252"))
        document = Document(path, charset, is_gzip=False)
        return land_order_report(connection, account=account, region="eu", window=window, document=document)
