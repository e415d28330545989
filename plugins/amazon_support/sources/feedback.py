"""Seller feedback of the last weeks, marketplace by marketplace, by Amazon's feedback report."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import BaseModel
from sqlalchemy import Engine

from amazon_support.settings import Marketplace, Settings
from amazon_support.settings.report_formats import report_formats
from amazon_support.sources import positions, reports
from amazon_support.sources.amazon import AmazonClient
from amazon_support.sources.errors import BadCredentials, BadDocument, ComeBackAt, SourceError, Throttled, Unavailable
from amazon_support.sources.feedback_report import Parsed, parse_feedback
from amazon_support.sources.memory import Memory
from amazon_support.sources.reports import ReportRequest
from amazon_support.warehouse.land import land_feedback
from amazon_support.warehouse.land.feedback import FEEDBACK
from amazon_support.window import Window

log = logging.getLogger(__name__)

# Negative and neutral feedback, one to three stars. Source: Selling Partner API, report type values, performance.
REPORT = "GET_SELLER_FEEDBACK_DATA"
# Buyers may give feedback for 90 days after the order and take it back for 60 more: each day's report looks back far
# enough to show most of what was edited, answered or removed.
FEEDBACK_WINDOW = timedelta(days=90)
# Of reports that say when to end, Amazon has cancelled some though there was feedback: those up to now do not say it.
# Source: github.com/amzn/selling-partner-api-docs, issues 1101 and 1203.
UP_TO_NOW = timedelta(days=1)
OUTAGE = 3  # marketplaces one after the other that Amazon gave no answer for: it would give none for the others
MEMORY = "feedback"


@dataclass(frozen=True)
class Pulled:
    """What one pull of feedback brought: references and counts, fit for XCom.

    Attributes:
        batch_ids: of every batch landed, one a marketplace, whichever attempt landed it.
        feedback, bad_lines: lines landed, and lines set aside because they could not be read.
        no_data: marketplaces (country) for which Amazon made no report. That proves nothing: what stood there stands.
        unknown_headings: by marketplace, those to add to report_formats.yaml.
        calls: of this attempt, by operation.
    """

    account: str
    region: str
    batch_ids: list[int]
    feedback: int
    bad_lines: int
    no_data: list[str]
    unknown_headings: dict[str, list[str]]
    calls: dict[str, int]


def pull_feedback(
    engine: Engine,
    client: AmazonClient,
    settings: Settings,
    window: Window,
    *,
    memory: Memory,
    folder: Path,
    now: datetime,
) -> Pulled:
    """Lands the feedback given in the 90 days before the window's end, one report an active marketplace.

    All reports are ordered before the first is waited for.

    Args:
        window: aware UTC.
        memory: which marketplaces were landed already; called again with the same memory, the others follow.
        folder: for documents on their way.
        now: wall clock, aware UTC.

    Raises: ComeBackAt while Amazon makes reports; then SourceError naming the marketplaces whose report cannot be had
        or read (the others were landed), and the next call asks for those again. BadCredentials, Throttled, or in an
        outage Unavailable, at once.
    """
    progress = _Progress.model_validate(memory.get(MEMORY) or {"begun_at": now})
    progress.remember(memory)
    later: list[ComeBackAt] = []
    unanswered = 0
    for marketplace, request in _requests(client, settings, window, progress.begun_at):
        country = marketplace.country
        if country in progress.landed or country in progress.failed:
            continue
        try:
            parsed = _fetch(client, memory, request, marketplace, folder)
            progress.landed[country] = _land(engine, client, memory, request, marketplace, window, parsed)
        except ComeBackAt as wait:
            later.append(wait)
            unanswered = 0
            continue
        except SourceError as error:
            unanswered = unanswered + 1 if isinstance(error, Unavailable) else 0
            if unanswered == OUTAGE or isinstance(error, BadCredentials | Throttled):
                progress.forgive(memory)
                raise
            progress.failed[country] = str(error)
        progress.remember(memory)
        if country in progress.landed:
            reports.forget(memory, request)
    if later:
        raise min(later, key=lambda wait: wait.moment)
    if progress.failed:
        raise _incomplete(client, progress.forgive(memory))
    memory.delete(MEMORY)
    return progress.result(client)


def fetch_feedback(
    client: AmazonClient,
    settings: Settings,
    window: Window,
    *,
    memory: Memory,
    folder: Path,
    now: datetime,
    found: dict[str, Parsed | SourceError | None],
) -> dict[str, Parsed | SourceError | None]:
    """The same reports, read and written nowhere; for pulls by hand.

    Args:
        found: by country, what came before; is added to. After ComeBackAt, hand in the same again.

    Returns: found, complete; None where Amazon made no report, the error where it cannot be had or read.

    Raises: ComeBackAt; BadCredentials and Throttled at once.
    """
    later: list[ComeBackAt] = []
    for marketplace, request in _requests(client, settings, window, now):
        if marketplace.country not in found:
            try:
                found[marketplace.country] = _fetch(client, memory, request, marketplace, folder)
            except ComeBackAt as wait:
                later.append(wait)
            except (BadCredentials, Throttled):
                raise
            except SourceError as error:
                found[marketplace.country] = error
    if later:
        raise min(later, key=lambda wait: wait.moment)
    return found


class _Landed(BaseModel):
    """What became of one marketplace's report; no batch if Amazon made none."""

    batch_id: int | None = None
    rows: int = 0
    bad_lines: int = 0
    unknown_headings: tuple[str, ...] = ()


class _Progress(BaseModel):
    """A pull on its way, as it is remembered between attempts. Marketplaces go by country.

    Attributes:
        begun_at: wall clock of the first attempt, aware UTC: later ones must ask for the same reports.
        failed: what is wrong with the reports that could not be had in this attempt.
    """

    begun_at: datetime
    landed: dict[str, _Landed] = {}
    failed: dict[str, str] = {}

    def remember(self, memory: Memory) -> None:
        memory.set(MEMORY, self.model_dump(mode="json"))

    def forgive(self, memory: Memory) -> dict[str, str]:
        """Lets the next attempt ask again for what failed in this one. Returns: what that was."""
        failed, self.failed = self.failed, {}
        self.remember(memory)
        return failed

    def result(self, client: AmazonClient) -> Pulled:
        landed = self.landed
        return Pulled(
            account=client.credentials.account,
            region=client.credentials.region,
            batch_ids=[each.batch_id for each in landed.values() if each.batch_id is not None],
            feedback=sum(each.rows for each in landed.values()),
            bad_lines=sum(each.bad_lines for each in landed.values()),
            no_data=[country for country, each in landed.items() if each.batch_id is None],
            unknown_headings={c: list(each.unknown_headings) for c, each in landed.items() if each.unknown_headings},
            calls=client.calls,
        )


def _requests(
    client: AmazonClient, settings: Settings, window: Window, begun_at: datetime
) -> Iterator[tuple[Marketplace, ReportRequest]]:
    account = settings.account(client.credentials.account)
    end = None if begun_at - window.end < UP_TO_NOW else window.end
    for marketplace_id in settings.marketplace_ids(account, client.credentials.region):
        request = ReportRequest(REPORT, (marketplace_id,), window.end - FEEDBACK_WINDOW, end)
        yield settings.by_id[marketplace_id], request


def _fetch(
    client: AmazonClient, memory: Memory, request: ReportRequest, marketplace: Marketplace, folder: Path
) -> Parsed | None:
    """One marketplace's report, read; None if Amazon made none."""
    country, formats = marketplace.country, report_formats().seller_feedback
    with reports.fetched(client, memory, request, folder) as document:
        if document is None:
            return None
        try:
            parsed = parse_feedback(document.text(formats.charset(country)), country, formats)
        except BadDocument as problem:
            reports.forget(memory, request)  # another one may be better
            raise BadDocument(
                f"The feedback report of {country} ({client.credentials}) cannot be read: {problem}. If Amazon has "
                "changed it, adapt report_formats.yaml. Running the task again orders another one."
            ) from None
    if parsed.unknown_headings:
        log.warning(
            "%s: the feedback report of %s has headings that report_formats.yaml lacks: %s",
            client.credentials, country, ", ".join(parsed.unknown_headings),
        )  # fmt: skip
    return parsed


def _land(
    engine: Engine,
    client: AmazonClient,
    memory: Memory,
    request: ReportRequest,
    marketplace: Marketplace,
    window: Window,
    parsed: Parsed | None,
) -> _Landed:
    account, seen_at = client.credentials.account, reports.ordered_at(memory, request)
    span = Window(window.end - FEEDBACK_WINDOW, request.end or seen_at, window.live)
    # A process killed after the commit lands the report again: it then changes nothing.
    with engine.begin() as connection:
        positions.note_pulled(connection, account, FEEDBACK, marketplace.country, span)
        # A cancelled report may mean that there is no feedback, or nothing: Amazon has cancelled reports that had some.
        # It is no batch, so that nothing is taken for removed. A report of a heading alone does say that nothing
        # stands.
        if parsed is None:
            return _Landed()
        batch_id = land_feedback(
            connection,
            account=account,
            marketplace=marketplace.country,
            window=span,
            seen_at=seen_at,
            rows=parsed.rows,
            bad_lines=parsed.bad_lines,
            heading=parsed.heading,
        )
    return _Landed(
        batch_id=batch_id,
        rows=len(parsed.rows),
        bad_lines=len(parsed.bad_lines),
        unknown_headings=parsed.unknown_headings,
    )


def _incomplete(client: AmazonClient, failed: dict[str, str]) -> SourceError:
    return SourceError(
        f"No feedback of {', '.join(sorted(failed))} ({client.credentials}); that of the other marketplaces was "
        f"landed. Run the task again for those. {' '.join(failed.values())}"
    )
