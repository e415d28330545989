"""What becomes of an ordered report: a document, nothing (CANCELLED: no data), or a failure with its reason (FATAL)."""

import gzip
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sandbox.amazon_flat_file import all_orders
from sandbox.amazon_orders import OrderShelf

LONGEST_WINDOW = timedelta(days=30)
OLDEST = timedelta(days=2 * 365)
# The time of an order that each report type selects by.
ORDER_REPORTS = {
    "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL": "lastUpdatedTime",
    "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_ORDER_DATE_GENERAL": "createdTime",
}


@dataclass(frozen=True)
class ReportRequest:
    """What was ordered. Times are aware UTC, the window includes both ends."""

    type: str
    region: str
    marketplaces: list[str]
    start: datetime
    end: datetime
    created: datetime


@dataclass(frozen=True)
class Document:
    """A finished document. `content` is gzip if `zipped`."""

    id: str
    content: bytes
    content_type: str
    zipped: bool


@dataclass(frozen=True)
class Outcome:
    """How a report ended: DONE, CANCELLED or FATAL."""

    status: str
    document: Document | None = None


CANCELLED = Outcome("CANCELLED")


def make_report(request: ReportRequest, shelf: OrderShelf) -> Outcome:
    """The report, made from the account's orders in the region."""
    problem = _problem(request)
    if problem is not None:
        document = Document(_document_id(request), problem.encode(), "text/plain; charset=UTF-8", zipped=False)
        return Outcome("FATAL", document)
    span = shelf.between(ORDER_REPORTS[request.type], request.start, request.end)
    orders = [o for _, o in span if o["salesChannel"].get("marketplaceId") in request.marketplaces]
    if not orders:
        return CANCELLED
    content, charset = all_orders(orders, request.region)
    zipped = gzip.compress(content, mtime=0)
    return Outcome("DONE", Document(_document_id(request), zipped, f"text/plain; charset={charset}", zipped=True))


def _problem(request: ReportRequest) -> str | None:
    if request.type not in ORDER_REPORTS:
        return f"Report type {request.type} is not served by this stand-in."
    if request.end - request.start > LONGEST_WINDOW:
        return "Date range exceeded. Report can be requested only upto 30 days"  # Amazon's words
    if request.start < request.created - OLDEST:
        return "Date range exceeded. Report can be requested only for the last 2 years"
    return None


def _document_id(request: ReportRequest) -> str:
    return f"amzn1.spdoc.1.4.{request.region}.{uuid4()}"
