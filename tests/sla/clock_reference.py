"""Calendars and clocks written down plainly, without a line of the product's: slow, one quarter of an hour after the
other for calendars, one status after the other for clocks."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

QUARTER, DAY = timedelta(minutes=15), timedelta(days=1)
FIRST, LAST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 7, 1, tzinfo=UTC)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@cache
def wall_clock(zone: str) -> dict[datetime, datetime]:
    """Local time (without zone) -> the first instant that shows it, for every quarter of an hour."""
    shown: dict[datetime, datetime] = {}
    instant, place = FIRST - 3 * DAY, ZoneInfo(zone)
    while instant < LAST + 3 * DAY:
        shown.setdefault(instant.astimezone(place).replace(tzinfo=None), instant)
        instant += QUARTER
    return shown


def instant_of(zone: str, local: datetime) -> datetime:
    """A local time that is skipped is as much later as the clocks are put forward."""
    shown = wall_clock(zone)
    later = local
    while later not in shown:
        later += QUARTER
    gap, back = later, local
    while back not in shown:
        back -= QUARTER
    # From the last quarter before the gap to the first after it no more than a quarter passes.
    put_forward = (gap - back) - QUARTER if later != local else timedelta(0)
    return shown[local + put_forward]


def open_quarters(zone: str, hours: dict[str, list[tuple[int, int]]], closed: set[date]) -> list[datetime]:
    """Beginnings of the quarters of an hour that are open. hours: minutes after the local midnight."""
    found: set[datetime] = set()
    day, place = FIRST.date() - DAY, ZoneInfo(zone)
    while day < LAST.date():
        midnight = datetime(day.year, day.month, day.day)
        for opens, closes in hours.get(WEEKDAYS[day.weekday()], []):
            if day in closed:
                continue
            instant, end = (instant_of(zone, midnight + timedelta(minutes=edge)) for edge in (opens, closes))
            while instant < end:
                if instant.astimezone(place).date() not in closed:
                    found.add(instant)
                instant += QUARTER
        day += DAY
    return sorted(found)


@dataclass(frozen=True)
class Hours:
    """Which seconds count; none: all of them."""

    quarters: list[datetime] | None = None

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        if self.quarters is None or end <= start:
            return max(end - start, timedelta(0))
        touched = self.quarters[bisect_right(self.quarters, start - QUARTER) : bisect_left(self.quarters, end)]
        if not touched:
            return timedelta(0)
        too_early, too_late = max(start - touched[0], timedelta(0)), max(touched[-1] + QUARTER - end, timedelta(0))
        return len(touched) * QUARTER - too_early - too_late

    def due(self, start: datetime, allowed: timedelta) -> datetime:
        """The first instant at which that much has passed."""
        if self.quarters is None or allowed <= timedelta(0):
            return start + max(allowed, timedelta(0))
        for place in range(bisect_right(self.quarters, start - QUARTER), len(self.quarters)):
            begin, end = max(self.quarters[place], start), self.quarters[place] + QUARTER
            if end - begin >= allowed:
                return begin + allowed
            allowed -= end - begin
        raise AssertionError("the calendar ends before the target is used up")


@dataclass(frozen=True)
class Rule:
    """One metric of a policy."""

    target: timedelta
    hours: Hours
    pauses_in: frozenset[str] = frozenset()
    stops_in: frozenset[str] = frozenset()
    rests_in: frozenset[str] = frozenset()
    warn_before: timedelta = timedelta(hours=4)

    def doing(self, status: str) -> str:
        return "rest" if status in self.rests_in else "pause" if status in self.pauses_in else "run"


@dataclass(frozen=True)
class Period:
    status: str
    start: datetime
    end: datetime
    cause: str


def known_at(
    as_of: datetime, rule: Rule, periods: list[Period], started: datetime, stopped: datetime | None, by: str | None
) -> dict[str, Any]:
    """What a cycle that had started shows at an instant."""
    for period in periods:
        if period.status in rule.stops_in and period.end > started and (not stopped or period.start < stopped):
            stopped, by = max(period.start, started), period.cause
            break
    if stopped and stopped > as_of:
        stopped = by = None
    elapsed = paused = waiting = timedelta(0)
    breached = None
    due = rule.hours.due(started, rule.target)
    doing, resting_since, rested_by = "run", None, None
    for now, begin, end, cause in _stretches(rule, periods, started, stopped, as_of):
        before, doing = doing, now
        if doing == "rest":
            due = rule.hours.due(begin, rule.target - elapsed) if before == "pause" else due
            resting_since, rested_by, waiting = begin, cause, end - begin
            continue
        paused, waiting, resting_since, rested_by = paused + waiting, timedelta(0), None, None
        if doing == "pause":
            paused += end - begin
            continue
        due = rule.hours.due(begin, rule.target - elapsed)
        breached = breached or (due if due < end else None)
        elapsed += rule.hours.elapsed(begin, end)
    if doing == "pause":
        due = rule.hours.due(stopped or as_of, rule.target - elapsed)
    stopped, by = stopped or resting_since, by if stopped else rested_by
    due = breached or due
    return {
        "due_at": due,
        "stopped_at": stopped,
        "stopped_by": by,
        "elapsed_seconds": elapsed.total_seconds(),
        "paused_seconds": paused.total_seconds(),
        "breached_at": breached,
        "seconds_left": (due - (stopped or as_of)) // timedelta(seconds=1),
        "state": _state(as_of, stopped, breached, doing, due - rule.warn_before),
    }


def _state(as_of: datetime, stopped: datetime | None, breached: datetime | None, doing: str, warn: datetime) -> str:
    if stopped:
        return "breached_met_late" if breached else "met"
    if breached:
        return "breached_open"
    if doing == "pause":
        return "paused"
    return "at_risk" if as_of >= warn else "running"


def _stretches(
    rule: Rule, periods: list[Period], started: datetime, stopped: datetime | None, as_of: datetime
) -> Iterator[tuple[str, datetime, datetime, str]]:
    """What the clock does, from when to when: neighbours of one kind are one. The last may last no time."""
    found: list[tuple[str, datetime, datetime, str]] = []
    for period in periods:
        begin, end = max(period.start, started), min(period.end, stopped or as_of)
        begins_now = not stopped and period.start <= as_of < period.end
        if begin < end or (begins_now and begin == end):
            doing = rule.doing(period.status)
            if found and found[-1][0] == doing and found[-1][2] == begin:
                found[-1] = (doing, found[-1][1], end, found[-1][3])
            else:
                found.append((doing, begin, end, period.cause))
    yield from found


def on_hold(periods: Iterable[Period]) -> list[Period]:
    return [period for period in periods if period.status == "on_hold"]
