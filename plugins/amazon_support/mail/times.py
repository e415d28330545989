"""Dates, spans and deadlines in notices, as instants."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import cache
from itertools import islice
from zoneinfo import ZoneInfo

from amazon_support.mail.money import plain
from amazon_support.mail.phrases import GAP, SENTENCE_GAP, any_of
from amazon_support.mail.rules import rules
from amazon_support.settings import Marketplace

LONGEST_TEXT = 20_000
MOST_DATES = 100  # looked at in one mail
HERE = "\0"  # no mail has one: see clean()
LONGEST_WAIT = timedelta(days=400)  # a date beyond is no deadline
END_OF_DAY = time(23, 59, 59)

WORD = r"(?<![^\W\d_])[^\W\d_]{3,14}"
ORDINAL = r"(?:st|nd|rd|th|er|º|°|\.)?"
DAY_FIRST = rf"\d{{1,2}}{ORDINAL}\s?(?:de\s|of\s)?\s?[^\W\d_]{{3,14}}\.?,?(?:\s(?:de\s|del\s)?\d{{4}})?"
NUMERIC = r"(?:\d{4}年\s?)?\d{1,2}月\s?\d{1,2}日|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}"
ZONE = r"\s?\(?(?:UTC|GMT)?(?:[A-Z]{2,4}|[+-]\d{1,2}(?::?\d{2})?)\)?"
CLOCK = rf"[^\d\n]{{0,12}}?\d{{1,2}}[:h時]\d{{2}}(?::\d{{2}})?分?(?:\s?[ap]\.?m\.?)?(?:{ZONE})?"

JAPANESE = re.compile(r"(?:(\d{4})年\s?)?(\d{1,2})月\s?(\d{1,2})日")
YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
NUMBERS = re.compile(r"(?<!\d)(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})(?!\d)")
DAY_MONTH = re.compile(
    rf"(?<!\d)(\d{{1,2}}){ORDINAL}\s?(?:de\s|of\s)?\s?([^\W\d_]{{3,14}})\.?,?(?:\s(?:de\s|del\s)?(\d{{4}}))?"
)
MONTH_DAY = re.compile(rf"({WORD})\.?\s(\d{{1,2}}){ORDINAL}(?:,?\s(\d{{4}}))?(?!\d)")
TIME = re.compile(
    r"(?<![\d:])(?P<hour>\d{1,2})[:h時](?P<minute>\d{2})(?::\d{2})?分?(?:\s?(?P<half>[ap])\.?m\.?)?"
    r"(?:\s?\(?(?:(?:UTC|GMT)(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?|(?P<zone>[A-Z]{2,4}))\b)?",
    re.IGNORECASE,
)
SPAN_NUMBER = re.compile(r"\d{1,3}")
SENTENCE_END = re.compile(r"(?<!\d)[.!?](?=\s|$)|[。\n]")


@dataclass(frozen=True)
class Deadlines:
    """Both aware UTC. why: signals that say how each was found."""

    deadline: datetime | None = None
    appeal_until: datetime | None = None
    why: tuple[str, ...] = ()


@dataclass(frozen=True)
class Place:
    """When a notice was sent (aware UTC), and for which site: what its dates mean."""

    sent_at: datetime | None
    site: Marketplace | None

    @property
    def zone(self) -> tzinfo:
        return ZoneInfo(self.site.timezone) if self.site else UTC


def read_deadlines(text: str, labelled: list[str], place: Place, *, is_decided: bool) -> Deadlines:
    """Until when an answer is wanted, and until when an appeal is open: the earliest after the mail was sent.

    Args:
        text: whose sentences may tell it; empty if only a label may.
        labelled: values that stand behind a label such as `Respond by`.
        is_decided: nothing is to be answered any more, only an appeal is possible.
    """
    due = [(moment, "label") for value in labelled if (moment := _from_value(value, place))]
    appeals = []
    for phrase, language, is_appeal in _phrases(_flat(text[:LONGEST_TEXT])):
        found = read_moment(phrase, place)
        if found is None or not _is_ahead(found[0], place):
            continue
        if is_appeal:
            appeals.append((found[0], f"{found[1]}:{language}"))
        elif not is_decided:
            due.append((found[0], f"{found[1]}:{language}"))
    deadline, appeal = min(due, default=None), min(appeals, default=None)
    return Deadlines(
        deadline[0] if deadline else None,
        appeal[0] if appeal else None,
        tuple(f"{name}:{each[1]}" for name, each in (("deadline", deadline), ("appeal", appeal)) if each),
    )


def read_moment(text: str, place: Place) -> tuple[datetime, str] | None:
    """(instant, `date` or `within`) of the first date in the text, else of the first span, counted from the mail.

    A date without a time of day means its end, where the site is.
    """
    text = plain(text)
    if day := read_date(text, place):
        return _at_time(day, text, place), "date"
    if place.sent_at and (span := _span().search(text)):
        unit = rules().unit_names[_unit_key(span[1])]
        count = SPAN_NUMBER.search(span.group())
        if count:
            return _later(place.sent_at, int(count.group()), unit), "within"
    return None


def read_date(text: str, place: Place) -> date | None:
    """The first date in the text that exists."""
    for form, read in READERS:
        for match in form.finditer(text):
            with suppress(ValueError):
                if day := read(match, place):
                    return day
    return None


# ---------- dates


def _japanese(match: re.Match[str], place: Place) -> date | None:
    return _nearest(match[1], int(match[2]), int(match[3]), place)


def _year_first(match: re.Match[str], place: Place) -> date | None:
    return date(int(match[1]), int(match[2]), int(match[3]))


def _numbers(match: re.Match[str], place: Place) -> date | None:
    """12.03.2026 has the day first. 12/03/2026: the site tells, unless only the other reading is still to come."""
    first, second, year = int(match[1]), int(match[3]), int(match[4])
    year += 2000 if year < 100 else 0
    if match[2] != "/":
        return date(year, second, first)
    is_month_first = place.site is not None and place.site.country in rules().month_first
    readings = [(second, first), (first, second)]
    possible = [date(year, month, day) for month, day in readings[:: -1 if is_month_first else 1] if month <= 12]
    sent = place.sent_at.date() if place.sent_at else date.min
    return next((day for day in possible if day >= sent), possible[0] if possible else None)


def _day_month(match: re.Match[str], place: Place) -> date | None:
    return _named(match[2], match[1], match[3], place)


def _month_day(match: re.Match[str], place: Place) -> date | None:
    return _named(match[1], match[2], match[3], place)


def _named(word: str, day: str, year: str | None, place: Place) -> date | None:
    """Without a year only the whole name of a month counts: a short one can be any word (3 out of 5)."""
    name = word.casefold()
    month = rules().month_numbers.get(name)
    if month is None or (year is None and name not in _whole_months()):
        return None
    return _nearest(year, month, int(day), place)


@cache
def _whole_months() -> frozenset[str]:
    return frozenset(n.casefold() for months in rules().months.values() for each in months for n in each)


def _nearest(year: str | None, month: int, day: int, place: Place) -> date | None:
    """Without a year: the next such day after the mail."""
    if year:
        return date(int(year), month, day)
    if place.sent_at is None:
        return None
    sent = place.sent_at.date()
    this_year = date(sent.year, month, day)
    return this_year if this_year >= sent - timedelta(days=1) else date(sent.year + 1, month, day)


Reader = Callable[[re.Match[str], Place], date | None]
READERS: tuple[tuple[re.Pattern[str], Reader], ...] = (
    (JAPANESE, _japanese),
    (YEAR_FIRST, _year_first),
    (NUMBERS, _numbers),
    (DAY_MONTH, _day_month),
    (MONTH_DAY, _month_day),
)


# ---------- times of day


def _at_time(day: date, text: str, place: Place) -> datetime:
    clock, zone = END_OF_DAY, place.zone
    if found := TIME.search(text):
        with suppress(ValueError):
            clock = time(_hour(int(found["hour"]), found["half"]), int(found["minute"]))
            zone = _zone(found) or zone
    try:
        return datetime.combine(day, clock, zone).astimezone(UTC)
    except OverflowError:  # the years 1 and 9999
        return datetime.combine(day, clock, UTC)


def _hour(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    return hour % 12 + (12 if half.lower() == "p" else 0)


def _zone(found: re.Match[str]) -> tzinfo | None:
    if found["sign"]:
        offset = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"] or 0))
        return timezone(-offset if found["sign"] == "-" else offset)
    name = rules().time_zones.get((found["zone"] or "").upper())
    return ZoneInfo(name) if name else None


# ---------- spans and phrases


def _later(since: datetime, count: int, unit: str) -> datetime:
    if unit == "hours":
        return since + timedelta(hours=count)
    if unit == "weeks":
        return since + timedelta(weeks=count)
    if unit == "days":
        return since + timedelta(days=count)
    moment = since
    while count:
        moment += timedelta(days=1)
        count -= moment.weekday() < 5
    return moment


@cache
def _dates() -> re.Pattern[str]:
    """A date as a sentence has it, with its time of day. Before a day stands a month: many a word stands there, too."""
    months = "|".join(sorted(map(re.escape, rules().month_numbers), key=len, reverse=True))
    month_first = rf"(?<![^\W\d_])(?:{months})\.?\s\d{{1,2}}{ORDINAL}(?:,?\s\d{{4}})?"
    day = rf"(?<!\d)(?:{NUMERIC}|{DAY_FIRST})|{month_first}"
    return re.compile(rf"(?:{day})(?!\d)(?:{CLOCK})?", re.IGNORECASE)


@cache
def _units() -> str:
    words = {w for languages in rules().units.values() for each in languages.values() for w in each}
    return "|".join(re.escape(word).replace(r"\ ", r"\s?") for word in sorted(words, key=len, reverse=True))


@cache
def _span() -> re.Pattern[str]:
    """A number, perhaps in brackets behind its word: 3 days, three (3) days."""
    return re.compile(rf"(?:[^\W\d_]{{2,14}}\s?\(\s?)?(?<!\d)\d{{1,3}}\s?\)?[\s-]?({_units()})", re.IGNORECASE)


def _unit_key(word: str) -> str:
    return re.sub(r"\s+", "", word).casefold()


@cache
def _contexts(mark: str) -> dict[str, re.Pattern[str]]:
    """By language, the phrases with `mark`, {date} or {span}, in whose place a NUL stands. Before a date there may be
    a weekday or an article."""
    placeholder = rf"(?:[^\W\d_]{{1,12}}[.,]?\s?){{0,2}}{HERE}" if mark == "{date}" else HERE
    return {
        language: re.compile("|".join(_context(phrase, mark, placeholder) for phrase in phrases), re.IGNORECASE)
        for language, each in rules().deadlines.items()
        if (phrases := [phrase for phrase in each if mark in phrase])
    }


def _context(phrase: str, mark: str, placeholder: str) -> str:
    bounded = "" if phrase.startswith("{") else r"(?<![^\W_])"
    return bounded + any_of([phrase]).replace(GAP, SENTENCE_GAP).replace(mark, placeholder)


def _phrases(text: str) -> Iterator[tuple[str, str, bool]]:
    """(date or span, language, whether its sentence speaks of an appeal) of each that stands in a phrase."""
    for mark, form in (("{date}", _dates()), ("{span}", _span())):
        for match in islice(form.finditer(text), MOST_DATES):
            context = text[max(0, match.start() - 80) : match.start()] + HERE + text[match.end() : match.end() + 40]
            language = next((each for each, phrase in _contexts(mark).items() if phrase.search(context)), None)
            if language:
                yield match.group(), language, bool(rules().appeal.search(_sentence(text, match)))


def _sentence(text: str, match: re.Match[str]) -> str:
    before = text[max(0, match.start() - 300) : match.start()]
    after = text[match.end() : match.end() + 300]
    ends = [end.end() for end in SENTENCE_END.finditer(before)]
    stop = SENTENCE_END.search(after)
    return before[ends[-1] if ends else 0 :] + match.group() + after[: stop.start() if stop else None]


def _flat(text: str) -> str:
    """Text in which a sentence that a mail program broke is on one line again."""
    lines = [" ".join(line.split()) for line in plain(text).split("\n")]
    out: list[str] = []
    for line in lines:
        goes_on = bool(out and out[-1] and line and (line[0].islower() or line[0].isdigit()))
        if goes_on and not out[-1].endswith((".", "!", "?", ":", "。")):
            out[-1] += " " + line
        else:
            out.append(line)
    return "\n".join(out)


def _from_value(value: str, place: Place) -> datetime | None:
    found = read_moment(value[:200], place)
    return found[0] if found and _is_ahead(found[0], place) else None


def _is_ahead(moment: datetime, place: Place) -> bool:
    return place.sent_at is None or place.sent_at <= moment <= place.sent_at + LONGEST_WAIT
