"""The open hours of calendars as rows of mart.calendar_open, made once for a span that grows as it is needed."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from amazon_support.settings.service_levels import WEEK, Holidays, OpenHours
from amazon_support.warehouse import run_step

LONGEST_YEARS = 100
Opening = tuple[datetime, datetime]


class CalendarError(ValueError):
    """A calendar in which a target would not be used up in a lifetime."""


def calendar_id(connection: Connection, label: str, hours: OpenHours) -> int:
    """Number of that version of a calendar in mart.calendar; rows made from another definition are thrown away."""
    definition = {"calendar": label, "fingerprint": hashlib.sha256(hours.model_dump_json().encode()).hexdigest()}
    run_step(connection, "sla/calendar_forget.sql", definition)
    number: int = run_step(connection, "sla/calendar_version.sql", definition).scalar_one()
    return number


def grow(
    connection: Connection, number: int, hours: OpenHours, first: datetime, last: datetime, target: timedelta
) -> None:
    """Makes the rows of a calendar that are not there yet.

    Args:
        first, last: instants (aware UTC) between which seconds are counted. target: the rows go on until so many
            open seconds are there after `last`.

    Raises: CalendarError if that takes longer than LONGEST_YEARS.
    """
    known = run_step(connection, "sla/calendar_known.sql", {"calendar_id": number, "last": last}).one()
    start, end = date(first.year - 1, 1, 1), date(last.year + 2, 1, 1)
    known_from, known_until = known.known_from or start, known.known_until or start
    missing = openings(hours, start, known_from)
    left = timedelta(seconds=float(known.seconds_left))
    while known_until < end or left < target:
        if known_until.year > end.year + LONGEST_YEARS:
            raise CalendarError(
                f"calendar {known.calendar}: a target of {target} lasts longer than {LONGEST_YEARS} years"
            )
        following = date(known_until.year + 1, 1, 1)
        later = openings(hours, known_until, following)
        left += sum((closes - max(opens, last) for opens, closes in later if closes > last), timedelta(0))
        missing += later
        known_until = following
    if missing:
        bounds = {"opens": [opens for opens, _ in missing], "closes": [closes for _, closes in missing]}
        run_step(connection, "sla/calendar_grow.sql", {"calendar_id": number, **bounds})
        span = {"known_from": min(start, known_from), "known_until": known_until}
        run_step(connection, "sla/calendar_analyze.sql")
        run_step(connection, "sla/calendar_span.sql", {"calendar_id": number, **span})


def openings(hours: OpenHours, start: date, end: date) -> list[Opening]:
    """When it is open on the local days from `start` up to `end`, as instants in order and without overlap.

    A local time that the clocks skip is that much later, one that comes twice is the first.
    """
    if start >= end:
        return []
    zone = ZoneInfo(hours.timezone)
    first, last = _instant(zone, start, 0), _instant(zone, end, 0)
    merged: list[Opening] = []
    for opens, closes in sorted(_spans(hours, zone, start - timedelta(days=1), end)):
        opens, closes = max(opens, first), min(closes, last)
        if merged and opens < merged[-1][1]:
            opens, closes = merged[-1][0], max(closes, merged.pop()[1])
        if opens < closes:
            merged.append((opens, closes))
    return merged


def _spans(hours: OpenHours, zone: ZoneInfo, start: date, end: date) -> Iterator[Opening]:
    """The hours that begin on each day, cut at midnight, without what reaches into a closed day."""
    day = start
    while day < end:
        following = day + timedelta(days=1)
        midnight = _instant(zone, following, 0)
        reaches_over = not _is_closed(hours, following)
        for begin, finish in _hours_of(hours, day):
            opens, closes = _instant(zone, day, begin), _instant(zone, day, finish)
            yield opens, min(closes, midnight)
            if reaches_over:
                yield midnight, closes
        day = following


def _hours_of(hours: OpenHours, day: date) -> tuple[tuple[int, int], ...]:
    if day in hours.dates:
        return hours.dates[day]
    return () if _is_closed(hours, day) else hours.hours.get(WEEK[day.weekday()], ())


def _is_closed(hours: OpenHours, day: date) -> bool:
    if day in hours.dates:
        return not hours.dates[day]
    return hours.holidays is not None and day in _public_holidays(hours.holidays, day.year)


@cache
def _public_holidays(holidays: Holidays, year: int) -> frozenset[date]:
    return holidays.dates(year)


def _instant(zone: ZoneInfo, day: date, seconds: int) -> datetime:
    days, seconds = divmod(seconds, 86_400)
    local = datetime.combine(day + timedelta(days=days), time(), zone) + timedelta(seconds=seconds)
    return local.astimezone(UTC)
