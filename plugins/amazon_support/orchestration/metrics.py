"""Our metrics, sent as Airflow is set to send its own: StatsD, DogStatsD or OpenTelemetry. Names: docs/metrics.md."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from airflow.sdk.configuration import conf
from airflow.sdk.observability import stats

from amazon_support.outputs.summary import Summary
from amazon_support.outputs.vitals import Vitals

PREFIX = "amazon_support"
OPEN = ("new", "open", "pending", "on_hold")


@dataclass(frozen=True)
class Gauge:
    """One figure, below its name without PREFIX, and what it is of."""

    name: str
    value: float
    of: Mapping[str, str]


def count(name: str, number: int, **of: str) -> None:
    """Adds to a counter; nothing is sent of nothing."""
    if number:
        stats.incr(_named(name, of), number, tags=dict(of))


def send(gauges: Iterable[Gauge]) -> int:
    """Sends the figures. Returns how many."""
    number = 0
    for number, gauge in enumerate(gauges, start=1):  # noqa: B007
        stats.gauge(_named(gauge.name, gauge.of), gauge.value, tags=dict(gauge.of))
    return number


def gauges(vitals: Vitals, summary: Summary) -> list[Gauge]:
    """What is told every five minutes. Ages and lags are seconds."""
    found = {
        "tickets.open": sum(summary.tickets.get(status, 0) for status in OPEN),
        "tickets.mail_to_decide": summary.mail_to_decide,
        "replies.at_risk": summary.at_risk,
        "replies.breached": summary.breached,
        "replies.oldest_seconds": _seconds(summary.as_of - summary.waiting_since if summary.waiting_since else None),
        "orders.to_ship": summary.orders_to_ship,
        "orders.late": summary.orders_late,
        "rows.in_quarantine": summary.quarantined,
        "outbox.waiting": vitals.waiting,
        "outbox.oldest_seconds": _seconds(vitals.waiting_age),
        "outbox.given_up": vitals.given_up,
        "outbox.held": int(vitals.held_since is not None),
    }
    if vitals.list_age is not None:
        found["worklists.age_seconds"] = _seconds(vitals.list_age)
    lags = [
        Gauge(
            "sources.lag_seconds",
            _seconds(each.lag),
            {"account": each.account, "source": each.source, "scope": each.scope},
        )
        for each in vitals.sources
    ]
    return [Gauge(name, value, {}) for name, value in found.items()] + lags


def _seconds(span: Any) -> float:
    return round(span.total_seconds(), 3) if span else 0


def _named(name: str, of: Mapping[str, str]) -> str:
    """The name in full. Plain StatsD knows no tags: there their values end the name, to tell figures apart."""
    parts = [PREFIX, name]
    if not _has_tags():
        parts += [stats.normalize_name_for_stats(value.replace(".", "_"), log_warning=False) for value in of.values()]
    return ".".join(parts)


def _has_tags() -> bool:
    if not conf.getboolean("metrics", "statsd_on"):
        return True  # OpenTelemetry, or nothing at all
    return bool(
        conf.getboolean("metrics", "statsd_influxdb_enabled") or conf.getboolean("metrics", "statsd_datadog_enabled")
    )
