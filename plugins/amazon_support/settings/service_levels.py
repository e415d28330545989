"""The shape of include/settings/policies.yaml: calendars, and what is promised to whom within what time."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, cached_property
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from amazon_support.settings.base import Desk, Duration, Location, Problem, StrictModel, problem

ALWAYS = "24x7"
DATED_METRICS = frozenset({"notification_deadline", "a_to_z_deadline"})  # due when the notice says
Status = Literal["new", "open", "pending", "on_hold", "solved", "closed"]
Priority = Literal["low", "normal", "high", "urgent"]
PRIORITIES: tuple[Priority, ...] = ("low", "normal", "high", "urgent")
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


def _moment(value: object) -> object:
    """2026-03-01 is its beginning in UTC; a time of day needs a zone."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value) if "T" in value or ":" in value else date.fromisoformat(value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("expected a day such as 2026-03-01 (UTC) or a time with its zone")
        return value
    return datetime.combine(value, time(), UTC) if isinstance(value, date) else value


@cache
def _zones() -> frozenset[str]:
    """All time zones: once a process, since Python opens hundreds of files to know them."""
    return frozenset(available_timezones())


def zone(name: str) -> str:
    """The name itself.

    Raises: ValueError if no time zone has it.
    """
    if name not in _zones():
        raise ValueError(f"no time zone {name!r}; expected an IANA name such as Europe/Berlin")
    return name


def _span(text: object) -> object:
    """'22:00-06:00' -> (79200, 108000): seconds after the local midnight at which the day begins."""
    if not isinstance(text, str):
        return text
    match = SPAN.fullmatch(text)
    if not match or (match[3] == "24" and match[4] != "00"):
        raise ValueError(f"{text!r} is no span; expected such as 09:00-17:30, or 22:00-06:00 across midnight")
    opens, closes = (int(match[n]) * 3600 + int(match[n + 1]) * 60 for n in (1, 3))
    return opens, closes if closes > opens else closes + 86_400


def _spans(value: object) -> object:
    return () if value == "closed" else value


def _by_day(value: object) -> object:
    """{mon-fri: …, sat: …} -> one entry a day."""
    if not isinstance(value, dict):
        return value
    days: dict[str, object] = {}
    for key, spans in value.items():
        first, _, last = str(key).partition("-")
        if first not in WEEK or (last and last not in WEEK) or (last and WEEK.index(last) < WEEK.index(first)):
            raise ValueError(f"{key!r} is no day; expected mon, tue, wed, thu, fri, sat, sun or a span such as mon-fri")
        for day in WEEK[WEEK.index(first) : WEEK.index(last or first) + 1]:
            if day in days:
                raise ValueError(f"{day} is named twice")
            days[day] = spans
    return days


Moment = Annotated[datetime, BeforeValidator(_moment)]
Span = Annotated[tuple[int, int], BeforeValidator(_span)]
Spans = Annotated[tuple[Span, ...], BeforeValidator(_spans)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$")]


class Holidays(StrictModel):
    """Public holidays of a country, as the package `holidays` knows them."""

    country: str = Field(pattern=r"^[A-Z]{2}$")
    subdivision: str | None = None

    @model_validator(mode="after")
    def _is_known(self) -> "Holidays":
        import holidays

        known = holidays.list_supported_countries()
        if self.country not in known:
            raise ValueError(f"no holidays of {self.country} are known; expected an ISO country code such as DE or GB")
        if self.subdivision and self.subdivision not in known[self.country]:
            raise ValueError(f"{self.country} has no part {self.subdivision}; known: {', '.join(known[self.country])}")
        return self

    def dates(self, year: int) -> frozenset[date]:
        """The holidays of that year."""
        import holidays

        return frozenset(holidays.country_holidays(self.country, subdiv=self.subdivision, years=year))


class OpenHours(StrictModel):
    """When somebody works: weekly hours of a place, its holidays, and days that differ.

    Attributes:
        timezone: IANA name; all hours and dates are of its local time.
        hours: spans of each weekday in seconds after local midnight; one that crosses midnight ends beyond 86400.
        holidays: closed from local midnight to local midnight.
        dates: days of one's own: the hours that begin on them instead of the weekly ones, holiday or not. A day
            without hours is closed like a holiday.
    """

    timezone: Annotated[str, AfterValidator(zone)]
    hours: Annotated[dict[str, Spans], BeforeValidator(_by_day)]
    holidays: Holidays | None = None
    dates: dict[date, Spans] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _opens(self) -> "OpenHours":
        if not any(self.hours.values()):
            raise ValueError("the calendar is never open; expected hours on at least one weekday")
        return self


class Calendar(OpenHours):
    """One version of a named calendar; the newest entry in force counts."""

    name: Name
    in_force_from: Moment | None = None

    @property
    def label(self) -> str:
        return version_label(self.name, self.in_force_from)


class Target(StrictModel):
    """What one metric allows.

    Attributes:
        target: seconds that may be counted; none: only where the notice itself names a date.
        by_priority: targets of tickets of other priorities than those `target` is for.
        calendar: name of the calendar whose open seconds count; default: the policy's.
        pauses_in, stops_in: statuses in which nothing is counted, and which end the cycle; default: the metric's own.
    """

    target: Duration | None = Field(default=None, ge=timedelta(0))
    by_priority: dict[Priority, Duration] = Field(default_factory=dict)
    calendar: str | OpenHours | None = None
    pauses_in: tuple[Status, ...] | None = None
    stops_in: tuple[Status, ...] | None = None


def _only_a_target(value: object) -> object:
    """`team: 24h` is short for `team: {target: 24h}`."""
    return {"target": value} if isinstance(value, str | timedelta) else value


Promise = Annotated[Target | None, BeforeValidator(_only_a_target)]


class Metrics(StrictModel):
    """The metrics a policy measures; one that is not named is not measured."""

    amazon_reply: Promise = None
    team: Promise = None
    first_response: Promise = None
    next_response: Promise = None
    resolution: Promise = None
    stakeholder_follow_up: Promise = None
    case_follow_up: Promise = None
    notification_deadline: Promise = None
    a_to_z_deadline: Promise = None
    mail_decision: Promise = None

    def measured(self) -> Iterator[tuple[str, Target]]:
        for name in type(self).model_fields:
            target = getattr(self, name)
            if target is not None:
                yield name, target

    @model_validator(mode="after")
    def _fit_for_counting(self) -> "Metrics":
        for name, target in self.measured():
            if target.target is None and name not in DATED_METRICS:
                raise ValueError(f"{name} needs a target such as 24h")
            if name in DATED_METRICS and (target.target or target.by_priority or target.pauses_in or target.calendar):
                raise ValueError(f"{name} is due when the notice says; expected {{}}")
        self._keeps_to_amazons_rule()
        return self

    def _keeps_to_amazons_rule(self) -> None:
        ours = self.amazon_reply
        if ours is None:
            return
        if ours.calendar not in (None, ALWAYS) or ours.pauses_in or ours.stops_in:
            raise ValueError(
                "amazon_reply counts every hour and nothing pauses it, as Amazon does; use team for hours of your own"
            )
        if any(target > timedelta(hours=24) for target in (ours.target, *ours.by_priority.values()) if target):
            raise ValueError("amazon_reply allows 24h at most: Amazon counts what is later as late")


DEFAULT_METRICS = Metrics.model_validate(
    {
        "amazon_reply": "24h",
        "team": "24h",
        "stakeholder_follow_up": "2d",
        "case_follow_up": "48h",
        "notification_deadline": {},
        "a_to_z_deadline": {},
        "mail_decision": "2d",
    }
)


class ServicePolicy(StrictModel):
    """One version of a policy: for which tickets, and what is measured.

    Attributes:
        in_force_from: clocks that start from then on follow this version, until a newer one. None: ever since.
        accounts, marketplaces, desks, ticket_types, priorities: which tickets; none named: all.
        calendar: of all metrics that name none of their own (amazon_reply always counts every hour).
        warn_before: a clock is at risk inside the longest of these. escalate_after, escalate_to: how long after a
            breach who is told (e-mail addresses).
    """

    name: Name = "default"
    in_force_from: Moment | None = None
    accounts: tuple[str, ...] = ()
    marketplaces: tuple[str, ...] = ()
    desks: tuple[Desk, ...] = ()
    ticket_types: tuple[str, ...] = ()
    priorities: tuple[Priority, ...] = ()
    calendar: str | OpenHours = ALWAYS
    metrics: Metrics = DEFAULT_METRICS
    warn_before: tuple[Duration, ...] = (timedelta(hours=4), timedelta(hours=1))
    escalate_after: tuple[Duration, ...] = (timedelta(hours=24), timedelta(hours=48))
    escalate_to: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return version_label(self.name, self.in_force_from)

    @property
    def is_for_all(self) -> bool:
        return not (self.accounts or self.marketplaces or self.desks or self.ticket_types or self.priorities)

    @property
    def at_risk_within(self) -> timedelta:
        return max(self.warn_before, default=timedelta(0))


def version_label(name: str, in_force_from: datetime | None) -> str:
    """Such as default, default@2026-03-01 or default@2026-03-01T12:00Z."""
    if in_force_from is None:
        return name
    start = in_force_from.astimezone(UTC)
    if start.time() == time():
        return f"{name}@{start:%Y-%m-%d}"
    return f"{name}@{start:%Y-%m-%dT%H:%M}Z"


class ServiceLevels(StrictModel):
    """All policies and calendars. The first policy that is meant for a ticket, and in force, is the ticket's."""

    calendars: tuple[Calendar, ...] = ()
    policies: tuple[ServicePolicy, ...] = (ServicePolicy(),)

    @model_validator(mode="after")
    def _fits_together(self) -> "ServiceLevels":
        problems = [
            *_versions("calendars", self.calendars),
            *_versions("policies", self.policies),
            *self._unknown_calendars(),
            *self._tickets_without_policy(),
        ]
        if problems:
            raise ValidationError.from_exception_data("service_levels", [problem(*each) for each in problems])
        return self

    def _unknown_calendars(self) -> Iterator[Problem]:
        known = {ALWAYS, *(calendar.name for calendar in self.calendars)}
        for place, policy in enumerate(self.policies):
            used: list[tuple[Location, Any]] = [(("policies", place, "calendar"), policy.calendar)]
            used += [
                (("policies", place, "metrics", name, "calendar"), target.calendar)
                for name, target in policy.metrics.measured()
            ]
            for where, name in used:
                if isinstance(name, str) and name not in known:
                    yield where, f"unknown calendar {name}; known: {', '.join(sorted(known))}"

    def _tickets_without_policy(self) -> Iterator[Problem]:
        if not any(policy.is_for_all and policy.in_force_from is None for policy in self.policies):
            place = max(len(self.policies) - 1, 0)
            what = "expected one policy without filters and in_force_from, so that each ticket has one"
            yield ("policies", place), what

    @cached_property
    def at_risk_within(self) -> timedelta:
        """The longest that any policy warns before."""
        return max((policy.at_risk_within for policy in self.policies), default=timedelta(0))


def _versions(file: str, entries: Sequence[Calendar | ServicePolicy]) -> Iterator[Problem]:
    seen: set[str] = set()
    for place, entry in enumerate(entries):
        if entry.label in seen:
            yield (file, place, "name"), f"{entry.label} is there twice; expected another in_force_from"
        seen.add(entry.label)
    if file == "calendars":
        for place, entry in enumerate(entries):
            first = next(e for e in entries if e.name == entry.name)
            if entry is first and not any(e.name == entry.name and e.in_force_from is None for e in entries):
                yield (file, place), f"the first version of {entry.name} must be without in_force_from"
