"""Reports of Amazon: ordered once, waited for without holding a worker, downloaded to a file.

An order passes through these steps, and each is remembered before the next, so that a pull that was killed, tried
again or sent away to wait goes on where it stopped and orders no second report:

1. the intent to order, with its instant; 2. createReport; 3. the report's id; 4. getReport until the report is made;
5. getReportDocument and the download. Who returns to an intent without an id looks among the reports that Amazon knows
for the one that may have been ordered.

Source of the states and of how long reports are kept: Selling Partner API, reports 2021-06-30.
"""

import gzip
import hashlib
import io
import json
import logging
import os
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, cast

from amazon_support import charsets
from amazon_support.sources.amazon import AmazonClient
from amazon_support.sources.errors import ComeBackAt, NotFound, SourceError, Unavailable, UrlExpired
from amazon_support.sources.memory import Memory

log = logging.getLogger(__name__)

INTERVALS = (5, 10, 20, 40, 80, 160, 300)  # seconds between looks at a report; the last one again and again
LONGEST_MAKING = timedelta(hours=12)  # a report that takes longer is taken for failed
SAME_TRY = timedelta(days=1)  # a pull that failed twice may be begun anew, by a person, this long after
CLOCKS_APART = timedelta(minutes=1)  # Amazon's and ours
DOWNLOADS = 3
REASON = 300  # characters kept of Amazon's reason
FORGOTTEN, TOO_LONG = "it is no longer known", "it was not made within 12 hours"
SPOOL = "report-"
LEFT_BEHIND = timedelta(days=1)  # older files of the spool belong to nobody any more
GZIP = b"\x1f\x8b"
BUFFER = 256 * 1024


@dataclass(frozen=True)
class ReportRequest:
    """What to order. Times are aware UTC and count in whole seconds; None leaves the window to Amazon."""

    report_type: str
    marketplace_ids: tuple[str, ...]
    start: datetime | None = None
    end: datetime | None = None
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Document:
    """A downloaded document, as it came.

    Attributes:
        charset: as the download's Content-Type names it; None if it does not.
        is_gzip: what the file is, whatever was announced.
    """

    path: Path
    charset: str | None
    is_gzip: bool

    def open_bytes(self) -> BinaryIO:
        """The decompressed content, as a stream that can be rewound.

        Reading raises Unavailable if the compressed data break off.
        """
        if not self.is_gzip:
            return self.path.open("rb", buffering=BUFFER)
        # A plain buffer around it, because GzipFile itself is slow on many small reads.
        return io.BufferedReader(cast(io.RawIOBase, _Gzip(self.path)), BUFFER)

    def text(self, fallback: str) -> str:
        """The whole content of a small document. What its charset lacks becomes U+FFFD.

        Args:
            fallback: the charset if neither a byte order mark nor the download names one.

        Raises: Unavailable if the compressed data break off.
        """
        with self.open_bytes() as stream:
            content = stream.read()
        return content.decode(charsets.codec(self.charset, content[:3], fallback), errors="replace")

    def remove(self) -> None:
        """Deletes the file."""
        self.path.unlink(missing_ok=True)


def fetch(client: AmazonClient, memory: Memory, request: ReportRequest, folder: Path) -> Document | None:
    """Orders the report, or finds again the one ordered before, and downloads it.

    The memory keeps the order after success, so that a pull killed while loading downloads the same report again:
    call `forget` when its rows are committed.

    Args:
        folder: where the document is kept until the caller removes it, readable by nobody else.

    Returns: the document; None if Amazon has no data for the request.

    Raises: ComeBackAt while Amazon makes the report: call again then, with the same memory. SourceError if Amazon
        failed twice to make it, with Amazon's reason. Unavailable if the download broke off three times.
    """
    order = _Order(client, memory, request)
    while True:
        try:
            report = order.look()
            match report["processingStatus"]:
                case "DONE":
                    return order.download(report["reportDocumentId"], folder)
                case "CANCELLED":
                    return None
                case "FATAL":
                    order.failed(order.reason(report, folder))
                case _ if order.takes_too_long():
                    order.failed(TOO_LONG)
                case _:
                    order.wait()
        except NotFound:
            order.failed(FORGOTTEN)


@contextmanager
def fetched(client: AmazonClient, memory: Memory, request: ReportRequest, folder: Path) -> Iterator[Document | None]:
    """As `fetch`, for the length of a `with` block; the file is removed at its end."""
    document = fetch(client, memory, request, folder)
    try:
        yield document
    finally:
        if document:
            document.remove()


def ordered_at(memory: Memory, request: ReportRequest) -> datetime:
    """When the report that was fetched had been ordered, aware UTC. To be asked before `forget`."""
    return _Progress(**memory.get(_key(request))).intended


def forget(memory: Memory, request: ReportRequest) -> None:
    """Ends the order: the next `fetch` of the same request orders a new report."""
    memory.delete(_key(request))


# ---------- one order


@dataclass(frozen=True)
class _Progress:
    """How far an order has come.

    Attributes:
        intended_at: when createReport was about to be called, ISO 8601.
        report_id: what Amazon answered.
        looks: how many times the report was not yet made.
        broken: downloads that broke off.
        failed: id of the report that Amazon failed to make before this one.
    """

    intended_at: str | None = None
    report_id: str | None = None
    looks: int = 0
    broken: int = 0
    failed: str | None = None

    @property
    def intended(self) -> datetime:
        return datetime.fromisoformat(self.intended_at or "")


class _Order:
    def __init__(self, client: AmazonClient, memory: Memory, request: ReportRequest) -> None:
        self._client = client
        self._memory = memory
        self._request = request
        self._key = _key(request)
        self._progress = _Progress(**(memory.get(self._key) or {}))

    def look(self) -> dict[str, Any]:
        """What Amazon says of the report; orders it first if need be."""
        if self._progress.report_id is None:
            found = self._ordered_before()
            self._remember(report_id=found or self._create())
            if not found:
                self.wait()
        return self._client.get_report(self._report_id)

    def wait(self) -> None:
        """Raises: ComeBackAt, each time for a longer while."""
        looks = self._progress.looks
        self._remember(looks=looks + 1)
        pause = timedelta(seconds=INTERVALS[min(looks, len(INTERVALS) - 1)])
        raise ComeBackAt(self._client.clock() + pause, f"Amazon is making {self._name}")

    def takes_too_long(self) -> bool:
        return self._client.clock() - self._progress.intended > LONGEST_MAKING

    def failed(self, reason: str) -> None:
        """Lets the report be ordered once more.

        Raises: SourceError if that was done before.
        """
        again = self._client.clock() - self._progress.intended < SAME_TRY
        if self._progress.failed and again:
            raise SourceError(f"Amazon failed twice to make {self._name}: {reason}.")
        log.warning("Amazon could not make %s: %s. It is ordered once more.", self._name, reason)
        self._save(_Progress(failed=self._report_id))

    def reason(self, report: dict[str, Any], folder: Path) -> str:
        """Why Amazon could not make the report, in its own words on one line."""
        words = ""
        if document_id := report.get("reportDocumentId"):
            with suppress(Unavailable, UrlExpired):
                document = self._spool(document_id, folder)
                try:
                    with document.open_bytes() as stream:
                        words = stream.read(4 * REASON).decode(errors="replace")
                finally:
                    document.remove()
        return " ".join(words.split())[:REASON].rstrip(".") or "it gave no reason"

    def download(self, document_id: str, folder: Path) -> Document:
        while True:
            try:
                document = self._spool(document_id, folder)
            except (Unavailable, UrlExpired) as problem:
                broken = self._progress.broken + 1
                self._remember(broken=broken % DOWNLOADS)
                if broken == DOWNLOADS:
                    raise Unavailable(f"The download of {self._name} failed {DOWNLOADS} times: {problem}") from None
            else:
                self._remember(broken=0)
                return document

    # ---------- steps

    def _ordered_before(self) -> str | None:
        """Id of the report if createReport was carried out and we were killed before we could note its answer."""
        if self._progress.intended_at is None:
            return None
        since = self._progress.intended - CLOCKS_APART
        for report in self._client.get_reports(self._request.report_type, created_since=since):
            report_id: str = report["reportId"]
            if report_id != self._progress.failed and _is_for(self._request, report):
                return report_id
        return None

    def _create(self) -> str:
        request, calls = self._request, self._calls()
        self._remember(intended_at=self._client.clock().isoformat())
        try:
            return self._client.create_report(
                request.report_type, list(request.marketplace_ids), request.start, request.end, request.options
            )
        except ComeBackAt:
            if self._calls() == calls:  # not sent: there is nothing to look for on coming back
                self._remember(intended_at=None)
            raise

    def _spool(self, document_id: str, folder: Path) -> Document:
        url = self._client.get_report_document(document_id)["url"]
        _sweep(folder)
        handle, name = tempfile.mkstemp(prefix=SPOOL, dir=folder)  # readable by us alone
        path = Path(name)
        try:
            with os.fdopen(handle, "wb") as target:
                charset = self._client.download(url, target)
            with path.open("rb") as stream:
                # Amazon announces compression, but transfers have been seen to decompress on the way.
                is_gzip = stream.read(len(GZIP)) == GZIP
        except BaseException:
            path.unlink()
            raise
        return Document(path, charset, is_gzip)

    def _calls(self) -> int:
        return self._client.calls.get("createReport", 0)

    @property
    def _report_id(self) -> str:
        assert self._progress.report_id is not None
        return self._progress.report_id

    @property
    def _name(self) -> str:
        start, end = self._request.start, self._request.end
        window = f" from {_iso(start)} to {_iso(end)}" if start and end else ""
        return f"the report {self._request.report_type}{window} ({self._client.credentials})"

    def _remember(self, **changes: Any) -> None:
        self._save(replace(self._progress, **changes))

    def _save(self, progress: _Progress) -> None:
        self._memory.set(self._key, asdict(progress))
        self._progress = progress


def _key(request: ReportRequest) -> str:
    """Names the request in the memory: a changed request is another order."""
    parts = [
        request.report_type,
        sorted(request.marketplace_ids),
        request.start and _iso(request.start),
        request.end and _iso(request.end),
        request.options,
    ]
    return f"report_{hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]}"


def _is_for(request: ReportRequest, report: dict[str, Any]) -> bool:
    """Whether a report is the one requested. Amazon does not tell a report's options."""
    window = ((request.start, "dataStartTime"), (request.end, "dataEndTime"))
    return set(report.get("marketplaceIds") or ()) == set(request.marketplace_ids) and all(
        wanted is None or (name in report and _iso(datetime.fromisoformat(report[name])) == _iso(wanted))
        for wanted, name in window
    )


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# ---------- files


class _Gzip(gzip.GzipFile):
    def read(self, size: int | None = -1) -> bytes:
        try:
            return super().read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise Unavailable("The compressed document broke off; it will be fetched again.") from None


def _sweep(folder: Path) -> None:
    """Makes the folder, and deletes what killed pulls left in it."""
    folder.mkdir(parents=True, exist_ok=True)
    oldest = time.time() - LEFT_BEHIND.total_seconds()
    for file in folder.glob(f"{SPOOL}*"):
        with suppress(FileNotFoundError):
            if file.stat().st_mtime < oldest:
                file.unlink()
