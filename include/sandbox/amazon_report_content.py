"""What becomes of an ordered report: a document, nothing (CANCELLED: no data), or a failure with its reason (FATAL)."""

import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sandbox.amazon_account_health import customer_metrics_report, performance_report
from sandbox.amazon_feedback import Feedback, feedback_report
from sandbox.amazon_flat_file import all_orders
from sandbox.amazon_orders import OrderShelf

LONGEST_WINDOW = timedelta(days=30)
OLDEST = timedelta(days=2 * 365)
PERFORMANCE_SPAN = timedelta(days=181)  # no figure of account health looks back further
PERFORMANCE, CUSTOMER_METRICS = "GET_V2_SELLER_PERFORMANCE_REPORT", "GET_V1_SELLER_PERFORMANCE_REPORT"
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


@dataclass(frozen=True)
class Stock:
    """What the reports of one account and region are made from."""

    orders: OrderShelf
    feedback: Sequence[Feedback] = ()


ReportMaker = Callable[[ReportRequest, Stock], Outcome]


def make_report(request: ReportRequest, stock: Stock) -> Outcome:
    """The report as Amazon would make it."""
    if request.start < request.created - OLDEST:
        return failure(request, "Date range exceeded. Report can be requested only for the last 2 years")
    return MAKERS.get(request.type, _not_served)(request, stock)


def _not_served(request: ReportRequest, stock: Stock) -> Outcome:
    return failure(request, f"Report type {request.type} is not served by this stand-in.")


def _orders(request: ReportRequest, stock: Stock) -> Outcome:
    if request.end - request.start > LONGEST_WINDOW:
        return failure(request, "Date range exceeded. Report can be requested only upto 30 days")  # Amazon's words
    span = stock.orders.between(ORDER_REPORTS[request.type], request.start, request.end)
    orders = [o for _, o in span if o["salesChannel"].get("marketplaceId") in request.marketplaces]
    return done(request, *all_orders(orders, request.region)) if orders else CANCELLED


def _feedback(request: ReportRequest, stock: Stock) -> Outcome:
    made = feedback_report(stock.feedback, request.marketplaces, request.start, request.end, as_of=request.created)
    return done(request, *made, zipped=False) if made else CANCELLED


def _performance(request: ReportRequest, stock: Stock) -> Outcome:
    make = {PERFORMANCE: performance_report, CUSTOMER_METRICS: customer_metrics_report}[request.type]
    recent = stock.orders.between("createdTime", request.created - PERFORMANCE_SPAN, request.created)
    return done(request, make([order for _, order in recent], request.marketplaces, request.created), "UTF-8")


MAKERS: dict[str, ReportMaker] = {
    **dict.fromkeys(ORDER_REPORTS, _orders),
    "GET_SELLER_FEEDBACK_DATA": _feedback,
    **dict.fromkeys((PERFORMANCE, CUSTOMER_METRICS), _performance),
}


def done(request: ReportRequest, content: bytes, charset: str, *, zipped: bool = True) -> Outcome:
    """A finished report with its document, which is compressed if `zipped`."""
    content = gzip.compress(content, mtime=0) if zipped else content
    return Outcome("DONE", Document(_document_id(request), content, f"text/plain; charset={charset}", zipped))


def failure(request: ReportRequest, reason: str | None) -> Outcome:
    """A report that could not be made; a document says why if there is a reason."""
    if reason is None:
        return Outcome("FATAL")
    document = Document(_document_id(request), reason.encode(), "text/plain; charset=UTF-8", zipped=False)
    return Outcome("FATAL", document)


def _document_id(request: ReportRequest) -> str:
    return f"amzn1.spdoc.1.4.{request.region}.{uuid4()}"
