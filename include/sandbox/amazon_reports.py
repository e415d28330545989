"""Reports API 2021-06-30: reports are ordered, wait their time, are made from the world's orders, and downloaded."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from itsdangerous import BadSignature

from sandbox.amazon_call import (
    Call,
    Handler,
    check_body,
    check_marketplaces,
    invalid,
    iso,
    not_found,
    parse_time,
    time_parameter,
)
from sandbox.amazon_faults import Faults
from sandbox.amazon_orders import OrdersApi
from sandbox.amazon_report_content import CANCELLED, Document, Outcome, ReportMaker, ReportRequest, Stock, failure
from sandbox.amazon_tokens import seal
from sandbox.world import World

QUEUED = timedelta(seconds=10)
PROCESSING = timedelta(seconds=30)
URL_LIFETIME = timedelta(minutes=5)
RETENTION = timedelta(days=90)
PAGE = 10  # reports; the default of getReports


@dataclass
class _Report:
    id: str
    owner: tuple[str, str]
    request: ReportRequest
    starts: datetime
    ends: datetime
    outcome: Outcome | None = None

    def status(self, now: datetime) -> str:
        if self.outcome is not None:
            return self.outcome.status
        return "IN_QUEUE" if now < self.starts else "IN_PROGRESS"


class ReportsApi:
    """The operations of the Reports API.

    Args:
        pace: how many times faster than usual (10 s in the queue, then 30 s) reports are made.
        faults: may say that a report fails.
        make_report: makes the documents.
    """

    def __init__(
        self, world: World, orders: OrdersApi, *, pace: float, faults: Faults, make_report: ReportMaker
    ) -> None:
        self._make_report = make_report
        self._orders = orders
        self._feedback = world.feedback
        self._faults = faults
        self._queued, self._processing = QUEUED / pace, PROCESSING / pace
        self._seal = seal(world.sellers, "report")
        self._reports: dict[str, _Report] = {}
        self._documents: dict[str, tuple[tuple[str, str], Document]] = {}
        self._numbers = count(50_001_000_001)

    @property
    def handlers(self) -> dict[str, Handler]:
        return {
            "createReport": self.create,
            "getReport": self.get,
            "getReports": self.get_many,
            "cancelReport": self.cancel,
            "getReportDocument": self.get_document,
        }

    def create(self, call: Call) -> dict[str, str]:
        check_body("reports_2021-06-30", "CreateReportSpecification", call.body)
        check_marketplaces(call.seller, call.body["marketplaceIds"])
        request = ReportRequest(
            type=call.body["reportType"],
            region=call.seller.region,
            marketplaces=call.body["marketplaceIds"],
            start=_time(call, "dataStartTime"),
            end=_time(call, "dataEndTime"),
            created=call.now,
        )
        if not request.start <= request.end <= call.now:
            raise invalid("dataStartTime must not be after dataEndTime, and neither may be in the future.")
        starts = call.now + self._queued
        report = _Report(str(next(self._numbers)), call.account_region, request, starts, starts + self._processing)
        self._reports[report.id] = report
        return {"reportId": report.id}

    def get(self, call: Call) -> dict[str, Any]:
        return _describe(self._own(call), call.now)

    def cancel(self, call: Call) -> None:
        report = self._own(call)
        if report.status(call.now) != "IN_QUEUE":
            raise invalid("Only reports with processingStatus IN_QUEUE can be cancelled.")
        report.outcome, report.starts, report.ends = CANCELLED, call.now, call.now

    def get_many(self, call: Call) -> dict[str, Any]:
        query = self._list_query(call)
        size = query.get("pageSize", PAGE)
        found = [report for report in reversed(self._kept(call)) if _matches(report, query, call.now)]
        answer: dict[str, Any] = {"reports": [_describe(report, call.now) for report in found[:size]]}
        if len(found) > size:
            answer["nextToken"] = self._seal.dumps({**query, "below": int(found[size - 1].id)})
        return answer

    def get_document(self, call: Call) -> dict[str, Any]:
        document_id = call.path["reportDocumentId"]
        owner, document = self._documents.get(document_id, (None, None))
        if document is None or owner != call.account_region:
            raise not_found("The report document")
        unzip = document.zipped and call.given.get("enableContentEncodingUrlHeader", False)
        ticket = {"document": document_id, "until": (call.now + URL_LIFETIME).timestamp(), "unzip": unzip}
        answer = {"reportDocumentId": document_id, "url": f"{call.base_url}/documents/{self._seal.dumps(ticket)}"}
        return {**answer, "compressionAlgorithm": "GZIP"} if document.zipped else answer

    def download(self, ticket: str, now: datetime) -> tuple[Document, bool]:
        """The document behind a URL, and whether HTTP clients are to decompress it.

        Raises: PermissionError, saying why, if the URL is not ours or has expired.
        """
        try:
            content = self._seal.loads(ticket)
            _, document = self._documents[content["document"]]
        except (BadSignature, KeyError):
            raise PermissionError("Access Denied") from None
        if now.timestamp() >= content["until"]:
            raise PermissionError("Request has expired")
        return document, content["unzip"]

    # ---------- reports as of now

    def _kept(self, call: Call) -> list[_Report]:
        """The caller's reports that are still kept, oldest first, brought up to date."""
        reports = [
            report
            for report in self._reports.values()
            if report.owner == call.account_region and call.now - report.request.created <= RETENTION
        ]
        for report in reports:
            if report.outcome is None and call.now >= report.ends:
                self._finish(report)
        return reports

    def _own(self, call: Call) -> _Report:
        for report in self._kept(call):
            if report.id == call.path["reportId"]:
                return report
        raise not_found("The report")

    def _finish(self, report: _Report) -> None:
        report.outcome = self._faulty(report) or self._make_report(report.request, self._stock(report.owner))
        document = report.outcome.document
        if document is not None:
            self._documents[document.id] = report.owner, document

    def _stock(self, owner: tuple[str, str]) -> Stock:
        return Stock(self._orders.shelf(owner), self._feedback.get(owner, ()))

    def _faulty(self, report: _Report) -> Outcome | None:
        match self._faults.take_report(report.request.type):
            case None:
                return None
            case "CANCELLED", _:
                return CANCELLED
            case _, reason:
                return failure(report.request, reason)

    def _list_query(self, call: Call) -> dict[str, Any]:
        """The filters of getReports, in JSON's types: given, or those that a nextToken carries."""
        if "nextToken" in call.given:
            if len(call.given) > 1:
                raise invalid("nextToken must be the only parameter.")
            try:
                query: dict[str, Any] = self._seal.loads(call.given["nextToken"])
            except BadSignature:
                raise invalid("nextToken is invalid.") from None
            return query
        if "reportTypes" not in call.given:
            raise invalid("Either reportTypes or nextToken is required.")
        return {n: value.isoformat() if isinstance(value, datetime) else value for n, value in call.given.items()}


def _matches(report: _Report, query: Mapping[str, Any], now: datetime) -> bool:
    request = report.request
    return (
        int(report.id) < query.get("below", int(report.id) + 1)
        and request.type in query.get("reportTypes", [request.type])
        and report.status(now) in query.get("processingStatuses", [report.status(now)])
        and not set(request.marketplaces).isdisjoint(query.get("marketplaceIds", request.marketplaces))
        and request.created >= parse_time(query.get("createdSince", request.created.isoformat()))
        and request.created <= parse_time(query.get("createdUntil", request.created.isoformat()))
    )


def _describe(report: _Report, now: datetime) -> dict[str, Any]:
    request, status = report.request, report.status(now)
    answer: dict[str, Any] = {
        "reportId": report.id,
        "reportType": request.type,
        "marketplaceIds": request.marketplaces,
        "dataStartTime": iso(request.start),
        "dataEndTime": iso(request.end),
        "createdTime": iso(request.created),
        "processingStatus": status,
    }
    if status != "IN_QUEUE":
        answer["processingStartTime"] = iso(report.starts)
    if report.outcome is not None:
        answer["processingEndTime"] = iso(report.ends)
    if report.outcome is not None and report.outcome.document is not None:
        answer["reportDocumentId"] = report.outcome.document.id
    return answer


def _time(call: Call, name: str) -> datetime:
    return time_parameter(name, call.body[name]) if name in call.body else call.now
