"""Account health: Amazon's seller performance reports of one account and region, all marketplaces at once.

GET_V2_SELLER_PERFORMANCE_REPORT (JSON) holds status, metrics and policy violations, GET_V1_SELLER_PERFORMANCE_REPORT
(XML) the contact response times. Both tell how things stand when they are made, whatever window is asked for: there is
no history to be had (amzn/selling-partner-api-models, issues 2165 and 4078).
"""

import json
import logging
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from amazon_support.settings import Settings
from amazon_support.sources import positions, reports
from amazon_support.sources.amazon import AmazonClient
from amazon_support.sources.errors import BadDocument, ComeBackAt, SourceError, Throttled, Unavailable
from amazon_support.sources.memory import Memory
from amazon_support.sources.performance_report import parse_contact_response, parse_health
from amazon_support.sources.reports import ReportRequest
from amazon_support.warehouse.land import land_account_health, land_contact_response
from amazon_support.warehouse.land.account_health import ACCOUNT_HEALTH, ContactResponse, ParsedHealth
from amazon_support.warehouse.land.batches import clean
from amazon_support.window import Window

log = logging.getLogger(__name__)

PERFORMANCE = "GET_V2_SELLER_PERFORMANCE_REPORT"
CUSTOMER_METRICS = "GET_V1_SELLER_PERFORMANCE_REPORT"
PAST = timedelta(days=1)  # nothing is asked about a window that ended longer ago
FRESH = timedelta(hours=3)  # figures ordered within so long pass for those of the window's end
MEMORY = "account_health"
MOST_TOLD = 50  # paths that were not understood


@dataclass(frozen=True)
class Pulled:
    """What one pull brought: references and counts, fit for XCom.

    Attributes:
        batch_ids: of every batch landed, whichever attempt landed it.
        metrics, periods: landed metrics and account statuses; landed periods of contact response times.
        unknown: paths in the document that were not understood.
        notes: what a person should know, such as a report that Amazon no longer serves.
        calls: of this attempt, by operation.
    """

    account: str
    region: str
    batch_ids: list[int]
    metrics: int
    periods: int
    unknown: list[str]
    notes: list[str]
    calls: dict[str, int]


@dataclass(frozen=True)
class FetchedHealth:
    """What the two reports say. `health` is None where Amazon has no data."""

    health: ParsedHealth | None
    contact_responses: list[ContactResponse]
    notes: list[str]


def pull_account_health(
    engine: Engine,
    client: AmazonClient,
    settings: Settings,
    window: Window,
    *,
    memory: Memory,
    folder: Path,
    now: datetime,
) -> Pulled:
    """Lands both reports, each as soon as it is there, in a batch of its own.

    Args:
        window: its end is the instant for which the figures are kept. If it is later than three hours after that,
            they are kept as those of the instant at which they were ordered; a day after, nothing is ordered.
        memory: which report was landed already; called again with the same memory, the other follows.
        folder: for documents on their way.
        now: wall clock, aware UTC.

    Raises: ComeBackAt while Amazon makes a report; BadDocument if the V2 report is no JSON object; other SourceErrors
        if it cannot be had. A V1 report that cannot be had is only noted.
    """
    who = client.credentials
    ids = tuple(settings.marketplace_ids(settings.account(who.account), who.region))
    if not ids or now - window.end >= PAST:
        note = "no active marketplace" if not ids else "Amazon tells account health only as it is now, not of past days"
        return Pulled(who.account, who.region, [], 0, 0, [], [note], client.calls)
    done: dict[str, dict[str, Any]] = memory.get(MEMORY) or {}
    waits = []
    for request in _requests(ids):
        if request.report_type in done:
            continue
        try:
            landed = _land(engine, client, memory, request, folder, window)
        except ComeBackAt as wait:
            waits.append(wait)
        else:
            done[request.report_type] = asdict(landed)
            memory.set(MEMORY, done)
            reports.forget(memory, request)
    if waits:
        raise min(waits, key=lambda wait: wait.moment)
    with engine.begin() as connection:
        positions.note_pulled(connection, who.account, ACCOUNT_HEALTH, who.region, window)
    memory.delete(MEMORY)
    health, contact = (_Landed(**done[report_type]) for report_type in (PERFORMANCE, CUSTOMER_METRICS))
    return Pulled(
        account=who.account,
        region=who.region,
        batch_ids=[landed.batch_id for landed in (health, contact) if landed.batch_id is not None],
        metrics=health.rows,
        periods=contact.rows,
        unknown=health.unknown,
        notes=health.notes + contact.notes,
        calls=client.calls,
    )


def fetch_account_health(
    client: AmazonClient, marketplace_ids: list[str], *, memory: Memory, folder: Path
) -> FetchedHealth:
    """Both reports, read and not kept.

    Raises: as pull_account_health.
    """
    performance, customer_metrics = _requests(tuple(marketplace_ids))
    health = _fetch_health(client, memory, performance, folder)
    contact = _fetch_contact(client, memory, customer_metrics, folder)
    return FetchedHealth(health and health[1], contact.responses, contact.notes)


# ---------- reports


@dataclass(frozen=True)
class _Landed:
    """What became of one report; kept in the memory."""

    batch_id: int | None
    rows: int
    unknown: list[str]
    notes: list[str]


@dataclass(frozen=True)
class _Contact:
    xml: str | None
    responses: list[ContactResponse]
    notes: list[str]


def _requests(marketplace_ids: tuple[str, ...]) -> tuple[ReportRequest, ReportRequest]:
    return ReportRequest(PERFORMANCE, marketplace_ids), ReportRequest(CUSTOMER_METRICS, marketplace_ids)


def _land(
    engine: Engine, client: AmazonClient, memory: Memory, request: ReportRequest, folder: Path, window: Window
) -> _Landed:
    where = {"account": client.credentials.account, "region": client.credentials.region}
    if request.report_type == PERFORMANCE:
        found = _fetch_health(client, memory, request, folder)
        if found is None:
            return _Landed(None, 0, [], [f"Amazon has no data for {request.report_type}"])
        document, health = found
        asked = _asked(memory, request, window)
        with engine.begin() as connection:
            batch_id = land_account_health(connection, **where, window=asked, parsed=health, document=document)
        rows = len(health.metrics) + len(health.statuses)
        return _Landed(batch_id, rows, health.unknown[:MOST_TOLD], [])
    contact = _fetch_contact(client, memory, request, folder)
    if not contact.responses or contact.xml is None:
        return _Landed(None, 0, [], contact.notes)
    asked = _asked(memory, request, window)
    with engine.begin() as connection:
        batch_id = land_contact_response(
            connection, **where, window=asked, responses=contact.responses, xml=contact.xml
        )
    return _Landed(batch_id, len(contact.responses), [], contact.notes)


def _asked(memory: Memory, request: ReportRequest, window: Window) -> Window:
    """The window, up to the instant of which the report tells: a late run must not date back what it found."""
    ordered_at = reports.ordered_at(memory, request)
    return window if ordered_at - window.end < FRESH else replace(window, end=ordered_at)


def _fetch_health(
    client: AmazonClient, memory: Memory, request: ReportRequest, folder: Path
) -> tuple[dict[str, Any], ParsedHealth] | None:
    with reports.fetched(client, memory, request, folder) as document:
        if document is None:
            return None
        text = document.text("utf-8")
    try:
        content = clean(json.loads(text))
        health = parse_health(content)
    except (ValueError, RecursionError, BadDocument):
        reports.forget(memory, request)  # the next attempt is to get another document
        raise BadDocument(
            f"The report {request.report_type} ({client.credentials}) is no JSON object; it is ordered anew next time."
        ) from None
    if health.unknown:
        log.warning(
            "%s (%s): kept but not understood: %s. Add what matters to account_health.yaml.",
            request.report_type,
            client.credentials,
            ", ".join(health.unknown[:MOST_TOLD]),
        )
    return content, health


def _fetch_contact(client: AmazonClient, memory: Memory, request: ReportRequest, folder: Path) -> _Contact:
    try:
        with reports.fetched(client, memory, request, folder) as document:
            xml = document.text("utf-8") if document else None
        responses = parse_contact_response(xml) if xml is not None else []
    except (Throttled, Unavailable):
        raise
    except SourceError as problem:  # an old report that Amazon may have stopped to serve: never worth a failed run
        return _noted(client, None, [], f"no contact response times: {problem}")
    if not responses:
        return _noted(client, xml, [], f"no contact response times in {request.report_type}")
    if len(request.marketplace_ids) == 1:
        responses = [replace(r, marketplace=r.marketplace or request.marketplace_ids[0]) for r in responses]
    if len({(r.marketplace, r.period_start, r.period_end) for r in responses}) < len(responses):
        note = f"{request.report_type} tells a period more than once without naming the marketplace: the first counts"
        return _noted(client, xml, responses, note)
    return _Contact(xml, responses, [])


def _noted(client: AmazonClient, xml: str | None, responses: list[ContactResponse], note: str) -> _Contact:
    log.info("%s: %s", client.credentials, note)
    return _Contact(xml, responses, [note])
