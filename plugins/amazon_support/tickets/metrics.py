"""What each metric measures, as data for the SQL; and the policies of the settings, resolved to rows for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from amazon_support.settings.service_levels import (
    ALWAYS,
    DATED_METRICS,
    PRIORITIES,
    OpenHours,
    ServiceLevels,
    ServicePolicy,
    Target,
)


@dataclass(frozen=True)
class Metric:
    """Where the cycles of a metric come from, and what interrupts them.

    Attributes:
        begins_with: exchange (from the oldest unanswered buyer message to our reply or "no response needed"),
            creation (of the ticket), on_hold (as long as the ticket is), undecided (as long as it is new or open),
            movement (from one event to the next), deadline (an event that names a date).
        cycles: of those, the first and the last that count (None: no last).
        ticket_types: only of tickets of these types; none: of all.
        pauses_in: statuses in which nothing is counted. stops_in: the first of these statuses ends the cycle.
        rests_in: these stop it too, but it goes on when the ticket leaves them.
    """

    begins_with: str
    cycles: tuple[int, int | None] = (1, None)
    ticket_types: tuple[str, ...] = ()
    pauses_in: tuple[str, ...] = ()
    stops_in: tuple[str, ...] = ()
    rests_in: tuple[str, ...] = ()


DONE = ("solved", "closed")
METRICS = {
    "amazon_reply": Metric("exchange"),
    "team": Metric("exchange", pauses_in=("pending", "on_hold"), stops_in=DONE),
    "first_response": Metric("exchange", cycles=(1, 1)),
    "next_response": Metric("exchange", cycles=(2, None)),
    "resolution": Metric("creation", rests_in=DONE),
    "stakeholder_follow_up": Metric("on_hold"),
    "case_follow_up": Metric("movement", ticket_types=("case_update",), stops_in=DONE),
    "notification_deadline": Metric(
        "deadline", ticket_types=("performance_notification", "system_message"), stops_in=("pending", *DONE)
    ),
    "a_to_z_deadline": Metric("deadline", ticket_types=("a_to_z_claim",), stops_in=("pending", *DONE)),
    "mail_decision": Metric("undecided", ticket_types=("unknown_mail",)),
}


@dataclass(frozen=True)
class Rules:
    """The policies as rows: no settings are read in SQL.

    Attributes:
        filters: version_no and which tickets that version of a policy is for.
        rules: one row a span of time in which no version changes (era), version in force, priority and metric. A
            version that is in force but measures nothing has a row without metric: it still is the tickets' policy.
        calendars: definitions by label, of those the rules name.
    """

    filters: list[dict[str, Any]]
    rules: list[dict[str, Any]]
    calendars: dict[str, OpenHours]


def rules_of(levels: ServiceLevels) -> Rules:
    calendars: dict[str, OpenHours] = {}
    numbers = {policy.label: number for number, policy in enumerate(levels.policies, 1)}
    filters = [
        {
            "version_no": numbers[policy.label],
            "accounts": policy.accounts or None,
            "marketplaces": policy.marketplaces or None,
            "desks": policy.desks or None,
            "ticket_types": policy.ticket_types or None,
        }
        for policy in levels.policies
    ]
    rules = []
    for era in _eras(levels):
        for rank, policy in enumerate(_in_force(levels.policies, era[0])):
            basis = {
                "era_from": _text(era[0], "-infinity"),
                "era_until": _text(era[1], "infinity"),
                "rank": rank,
                "version_no": numbers[policy.label],
                "policy": policy.label,
            }
            for row in _measured(levels, policy, era[0], calendars):
                rules.append({**basis, **row})
    return Rules(filters, rules, calendars)


def _eras(levels: ServiceLevels) -> Iterator[tuple[datetime | None, datetime | None]]:
    starts = [policy.in_force_from for policy in levels.policies]
    starts += [calendar.in_force_from for calendar in levels.calendars]
    changes = {start for start in starts if start}
    moments = [None, *sorted(changes), None]
    yield from zip(moments, moments[1:], strict=False)


def _in_force(policies: tuple[ServicePolicy, ...], at: datetime | None) -> Iterator[ServicePolicy]:
    """The version of each policy in force then (None: before all changes), in the order of the policies."""
    for name in dict.fromkeys(policy.name for policy in policies):
        started = [policy for policy in policies if policy.name == name and _has_begun(policy, at)]
        if started:
            yield max(started, key=_since)


def _has_begun(entry: Any, at: datetime | None) -> bool:
    return entry.in_force_from is None or (at is not None and entry.in_force_from <= at)


def _since(entry: Any) -> float:
    return entry.in_force_from.timestamp() if entry.in_force_from else float("-inf")


def _measured(
    levels: ServiceLevels, policy: ServicePolicy, at: datetime | None, calendars: dict[str, OpenHours]
) -> Iterator[dict[str, Any]]:
    measured = list(policy.metrics.measured())
    for priority in policy.priorities or PRIORITIES:
        if not measured:
            yield {"priority": priority, "metric": None}
        for name, target in measured:
            label, hours = _calendar(levels, policy, name, target, at)
            if hours:
                calendars[label] = hours
            metric, allowed = METRICS[name], target.by_priority.get(priority, target.target)
            yield {
                "priority": priority,
                "metric": name,
                "begins_with": metric.begins_with,
                "first_cycle": metric.cycles[0],
                "last_cycle": metric.cycles[1],
                "ticket_types": metric.ticket_types or None,
                "target_seconds": None if allowed is None else int(allowed.total_seconds()),
                "warn_before_seconds": int(policy.at_risk_within.total_seconds()),
                "calendar": label,
                "pauses_in": metric.pauses_in if target.pauses_in is None else target.pauses_in,
                "stops_in": metric.stops_in if target.stops_in is None else target.stops_in,
                "rests_in": metric.rests_in,
            }


def _calendar(
    levels: ServiceLevels, policy: ServicePolicy, metric: str, target: Target, at: datetime | None
) -> tuple[str, OpenHours | None]:
    """Label and definition of the calendar in force then; no definition: 24x7."""
    if metric in DATED_METRICS or metric == "amazon_reply":
        return ALWAYS, None
    named = target.calendar or policy.calendar
    if isinstance(named, OpenHours):
        return f"{policy.label}/{metric if target.calendar else 'hours'}", named
    if named == ALWAYS:
        return ALWAYS, None
    started = [calendar for calendar in levels.calendars if calendar.name == named and _has_begun(calendar, at)]
    calendar = max(started, key=_since)
    return calendar.label, calendar


def _text(moment: datetime | None, otherwise: str) -> str:
    return moment.isoformat() if moment else otherwise
