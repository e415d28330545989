"""Orders by Amazon's all-orders report: any span of the last two years, in windows that are each landed once."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import BaseModel
from sqlalchemy import Engine

from amazon_support.settings import Settings
from amazon_support.sources import positions, reports
from amazon_support.sources.amazon import AmazonClient
from amazon_support.sources.errors import BadCredentials, ComeBackAt, SourceError, Throttled, Unavailable
from amazon_support.sources.memory import Memory
from amazon_support.sources.reports import ReportRequest
from amazon_support.warehouse.land import land_order_report
from amazon_support.warehouse.land.order_report import ORDER_REPORT
from amazon_support.window import Window

log = logging.getLogger(__name__)

# One row an order item, all channels, no personal data; windows of at most 30 days, up to two years back.
# Source: Selling Partner API, report type values, order tracking reports.
REPORT = "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL"
LONGEST_WINDOW = timedelta(days=30)
OLDEST = timedelta(days=729)  # a day less than Amazon's two years: a report may be ordered hours after it was planned
LAG = timedelta(minutes=2)  # Amazon refuses younger upper bounds in searchOrders; the same distance serves here
MEMORY = "order_reports"


@dataclass(frozen=True)
class Pulled:
    """What one pull of orders brought: references and counts, fit for XCom.

    Attributes:
        batch_ids: of every batch landed, whichever attempt landed it.
        orders: by search, orders; by report, its lines, one an order item. An order that came twice counts twice.
        via: "search", "report" (also for a search that went over to the report half-way), "getOrder", or "nothing"
            where nothing was to be asked for.
        calls: of this attempt, by operation.
        note: what a person should know of how it was pulled.
    """

    account: str
    region: str
    batch_ids: list[int]
    orders: int
    via: str
    calls: dict[str, int]
    note: str | None = None


def pull_order_history(
    engine: Engine,
    client: AmazonClient,
    settings: Settings,
    window: Window,
    *,
    memory: Memory,
    folder: Path,
    now: datetime,
) -> Pulled:
    """Lands all orders that changed in the window, of all marketplaces of the account's region. Moves no watermark.

    Args:
        window: aware UTC, of any length; what lies more than two years back is left out, and the note says so.
        memory: which windows were landed already; called again with the same memory, the others follow.
        folder: for documents on their way.
        now: wall clock.

    Raises: ComeBackAt while Amazon makes the reports; SourceError if some window cannot be had (the others were
        landed).
    """
    account, region = client.credentials.account, client.credentials.region
    if not settings.marketplace_ids(settings.account(account), region):
        return Pulled(account, region, [], 0, "nothing", client.calls)
    pulled = pull_reports(engine, client, settings, window, memory=memory, folder=folder, now=now)
    memory.delete(MEMORY)
    note = None
    if window.start < pulled.planned_at - OLDEST:
        note = f"Amazon reports two years back only: nothing before {pulled.planned_at - OLDEST:%Y-%m-%d} was asked for"
        log.info("%s: %s", client.credentials, note)
    via = "report" if pulled.landed else "nothing"
    return Pulled(account, region, pulled.batch_ids, pulled.lines, via, client.calls, note)


def plan_history(start: datetime, end: datetime, now: datetime) -> list[Window]:
    """The windows that cover the span, newest first: none longer than 30 days, none older than two years, none
    younger than two minutes. Empty if nothing of the span is left.

    Args:
        start, end, now: aware UTC.
    """
    # Whole seconds, as reports know them: neighbours then meet exactly.
    start = max(start, now - OLDEST).replace(microsecond=0)
    end = min(end, now - LAG).replace(microsecond=0)
    windows = []
    while start < end:
        windows.append(Window(max(start, end - LONGEST_WINDOW), end, live=False))
        end = windows[-1].start
    return windows


class Reports(BaseModel):
    """How far the reports of a span have come, as it is remembered between attempts. Windows go by their start.

    Attributes:
        planned_at: the wall clock of the first attempt: later ones must cut the span into the same windows.
        landed: batch and number of lines of each landed window; no batch where Amazon has no data.
        failed: what is wrong with the windows that could not be had in this attempt.
    """

    planned_at: datetime
    landed: dict[str, tuple[int | None, int]] = {}
    failed: dict[str, str] = {}

    @property
    def batch_ids(self) -> list[int]:
        return [batch_id for batch_id, _ in self.landed.values() if batch_id is not None]

    @property
    def lines(self) -> int:
        return sum(lines for _, lines in self.landed.values())


def pull_reports(
    engine: Engine,
    client: AmazonClient,
    settings: Settings,
    span: Window,
    *,
    memory: Memory,
    folder: Path,
    now: datetime,
) -> Reports:
    """Orders the reports of a span, all at once, and lands each as soon as Amazon has made it.

    The caller forgets MEMORY once it has made use of the result.

    Raises: ComeBackAt until every window is landed or known to fail; then SourceError if one failed, and the next
        call asks for those again.
    """
    progress = Reports.model_validate(memory.get(MEMORY) or {"planned_at": now})

    def remember() -> None:
        memory.set(MEMORY, progress.model_dump(mode="json"))

    remember()
    account = settings.account(client.credentials.account)
    ids = tuple(settings.marketplace_ids(account, client.credentials.region))
    later: list[ComeBackAt] = []
    for window in plan_history(span.start, span.end, progress.planned_at):
        name = window.start.isoformat()
        if name in progress.landed or name in progress.failed:
            continue
        request = ReportRequest(REPORT, ids, window.start, window.end)
        try:
            progress.landed[name] = _land(engine, client, window, request, memory, folder)
        except ComeBackAt as wait:
            later.append(wait)
        except (BadCredentials, Throttled, Unavailable):
            raise  # the other windows would fare no better
        except SourceError as error:
            progress.failed[name] = str(error)
            remember()
        else:
            remember()
            reports.forget(memory, request)
    if later:
        raise min(later, key=lambda wait: wait.moment)
    if progress.failed:
        failed = dict(progress.failed)
        progress.failed.clear()
        remember()
        raise _incomplete(client, failed)
    return progress


def _land(
    engine: Engine, client: AmazonClient, window: Window, request: ReportRequest, memory: Memory, folder: Path
) -> tuple[int | None, int]:
    with reports.fetched(client, memory, request, folder) as document:
        account, region = client.credentials.account, client.credentials.region
        # A process killed after the commit lands the report again: the same rows, of which each counts once.
        with engine.begin() as connection:
            positions.note_pulled(connection, account, ORDER_REPORT, region, window)
            if document is None:
                return None, 0
            return land_order_report(connection, account=account, region=region, window=window, document=document)


def _incomplete(client: AmazonClient, failed: dict[str, str]) -> SourceError:
    starts = ", ".join(name[:10] for name in sorted(failed))
    return SourceError(
        f"The all-orders report ({client.credentials}) failed for windows from {starts} on; the others were landed. "
        f"Run the task again for those. {next(iter(failed.values()))}"
    )
