"""Account health: landed as one row a metric beside the whole report, published as a history that is only added to."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Connection

from amazon_support.settings import Settings
from amazon_support.settings.account_health import Unit, health_rules
from amazon_support.warehouse.land.batches import as_json, claim, clean, copy_rows, mark_published, new_batch, run_steps
from amazon_support.window import Window

ACCOUNT_HEALTH = "account_health"
PUBLISH_ACCOUNT_HEALTH = ("account_health_metrics", "account_health_contacts")
ACCOUNT_STATUS = "account_status"


@dataclass(frozen=True)
class Metric:
    """How a seller does in one respect in one marketplace, as Amazon says.

    Attributes:
        marketplace: Amazon's id; "" if the report names none.
        name: in our words, such as "late_shipment_rate"; for one that settings do not know, Amazon's in snake case.
        period_start, period_end: what it was measured over, aware UTC; None where Amazon does not say.
        value: a share from 0 to 1, a count, or a score, as `unit` says; None if there is none, or nothing behind it.
        numerator, denominator: the counts behind a share.
        target_value: in the value's unit. target_condition: LESS_THAN, GREATER_THAN or EQUALS. Both Amazon's own.
        status: Amazon's, in upper case.
        detail: the metric as received.
        unreadable: fields that were there and could not be read, such as "value" or "period_end".
    """

    marketplace: str
    name: str
    fulfilment: Literal["AMAZON", "MERCHANT"] | None = None
    unit: Unit | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None
    value: Decimal | None = None
    numerator: Decimal | None = None
    denominator: Decimal | None = None
    target_value: Decimal | None = None
    target_condition: str | None = None
    status: str | None = None
    detail: Any = None
    unreadable: tuple[str, ...] = ()

    @property
    def period_days(self) -> int | None:
        """Length of the period in whole days; Amazon's periods end a minute or a second before midnight."""
        if self.period_start is None or self.period_end is None or self.period_end < self.period_start:
            return None
        return round((self.period_end - self.period_start).total_seconds() / 86400)


@dataclass(frozen=True)
class AccountStatus:
    """Whether the account may sell in a marketplace (Amazon's id): NORMAL, AT_RISK, DEACTIVATED, ..."""

    marketplace: str
    status: str


@dataclass(frozen=True)
class ContactResponse:
    """How fast buyers were answered over a period, by Amazon's count.

    Attributes:
        marketplace: Amazon's id; None if the report names none: then it speaks for all it was ordered for.
        average_hours: mean time to the answer.
        under_24h, over_24h: answers by the time they took. none_after_24h: messages older than 24 h without answer.
        share_under_24h: as Amazon states it, else of the three counts; from 0 to 1.
        unreadable: fields that were there and could not be read.
    """

    marketplace: str | None
    period_start: datetime | None
    period_end: datetime | None
    average_hours: Decimal | None = None
    under_24h: Decimal | None = None
    over_24h: Decimal | None = None
    none_after_24h: Decimal | None = None
    share_under_24h: Decimal | None = None
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True)
class ParsedHealth:
    """What a report says. `unknown`: JSON paths of what was not understood, each once."""

    metrics: list[Metric] = field(default_factory=list)
    statuses: list[AccountStatus] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def land_account_health(
    connection: Connection, *, account: str, region: str, window: Window, parsed: ParsedHealth, document: Any
) -> int:
    """Writes one GET_V2_SELLER_PERFORMANCE_REPORT as one batch: the document, and a row for each metric and status.

    Args:
        window: its end is when the figures were true.
        document: the JSON as received. It holds figures only, nothing about buyers.

    Returns: the batch's id.
    """
    metrics = [
        *parsed.metrics,
        *(Metric(status.marketplace, ACCOUNT_STATUS, status=status.status) for status in parsed.statuses),
    ]
    rows = {_metric_key(metric): ("metric", _reading(metric)) for metric in reversed(metrics)}  # the first of equals
    batch_id = new_batch(connection, ACCOUNT_HEALTH, account, region, len(rows), window)
    copy_rows(
        connection,
        "raw.account_health_received (batch_id, account, region, document)",
        [(batch_id, account, region, as_json(clean(document)))],
    )
    _copy_readings(connection, batch_id, account, rows)
    return batch_id


def land_contact_response(
    connection: Connection, *, account: str, region: str, window: Window, responses: Sequence[ContactResponse], xml: str
) -> int:
    """Writes one GET_V1_SELLER_PERFORMANCE_REPORT as one batch: the document, and a row for each period.

    Returns: the batch's id.
    """
    rows = {_response_key(response): ("contact_response", _reading(response)) for response in reversed(responses)}
    batch_id = new_batch(connection, ACCOUNT_HEALTH, account, region, len(rows), window)
    copy_rows(
        connection,
        "raw.account_health_received (batch_id, account, region, xml)",
        [(batch_id, account, region, clean(xml))],
    )
    _copy_readings(connection, batch_id, account, rows)
    return batch_id


def publish_account_health(connection: Connection, settings: Settings) -> int:
    """Adds every checked batch to the history, in the caller's transaction, judged by the settings of now.

    What is known of the same instant stays as it is.

    Returns: how many batches were published.
    """
    batch_ids, rows = claim(connection, ACCOUNT_HEALTH)
    if batch_ids:
        rules = health_rules()
        parameters = {
            "batch_ids": batch_ids,
            "marketplaces": json.dumps({m.marketplace_id: m.country for m in settings.marketplaces}),
            "defaults": json.dumps({name: [rule.condition, rule.target] for name, rule in rules.metrics.items()}),
            "good": list(rules.statuses.good),
            "no_verdict": list(rules.statuses.no_verdict),
            "bad": list(rules.statuses.bad),
        }
        run_steps(connection, PUBLISH_ACCOUNT_HEALTH, parameters, rows)
        mark_published(connection, batch_ids)
    return len(batch_ids)


# ---------- rows


def _metric_key(metric: Metric) -> str:
    parts = (metric.marketplace, metric.name, metric.fulfilment, metric.period_days)
    return "/".join("-" if part in (None, "") else str(part) for part in parts)


def _response_key(response: ContactResponse) -> str:
    period = (moment.isoformat() if moment else "-" for moment in (response.period_start, response.period_end))
    return "/".join((response.marketplace or "-", "contact_response", *period))


def _reading(row: Metric | ContactResponse) -> str:
    reading = {name: _plain(value) for name, value in vars(row).items()}
    if isinstance(row, Metric):
        reading["period_days"] = row.period_days
    return as_json(clean(reading))


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, datetime) else value


def _copy_readings(connection: Connection, batch_id: int, account: str, rows: dict[str, tuple[str, str]]) -> None:
    copy_rows(
        connection,
        "raw.account_health_reading (batch_id, account, row_key, kind, reading)",
        ((batch_id, account, key, kind, reading) for key, (kind, reading) in rows.items()),
    )
