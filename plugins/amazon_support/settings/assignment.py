"""The shape of agents.yaml and assignment.yaml: who works when, and whose task which ticket is."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from amazon_support.settings.base import Desk, Location, Problem, StrictModel
from amazon_support.settings.service_levels import ALWAYS, Calendar, OpenHours, ServiceLevels, zone

EMAIL = r"^[^@\s]+@[^@\s]+$"
Language = Literal["en", "de", "ja"]
TicketType = Literal[
    "contact_buyer", "product_question", "return_request", "cancellation", "refund", "a_to_z_claim", "chargeback",
    "negative_feedback", "neutral_feedback", "performance_notification", "case_update", "delivery_failure",
    "system_message", "system_qa", "other_query", "unknown_mail",
]  # fmt: skip


def _only_a_day(value: object) -> object:
    """`2026-12-24` is short for `{from: 2026-12-24, to: 2026-12-24}`."""
    return {"from": value, "to": value} if isinstance(value, str | date) else value


class _Absence(StrictModel):
    first: date = Field(alias="from")
    last: date = Field(alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> "_Absence":
        if self.last < self.first:
            raise ValueError(f"{self.last} is before {self.first}; expected from the first day away to the last")
        return self


Absence = Annotated[_Absence, BeforeValidator(_only_a_day)]


class Agent(StrictModel):
    """A person who answers buyers, or leads those who do.

    Attributes:
        email: without one, what is for the agent stays in the outbox and is given up, and the leads are told.
        chat, text: Airflow connections (type apprise) that lead to the agent's chat and to text messages.
        marketplaces: whose unassigned work is on the agent's worklist; none named: all.
        languages: in which the agent answers; none named: all.
        hours: when the agent works: hours of one's own, or the name of a calendar in policies.yaml. None: always.
        absent: whole days away, of the zone of `hours` (UTC where it has none).
        quiet: hours in which chat and text messages wait until they are over; a calendar's name or hours of one's own.
        language, timezone: of what the agent is sent.
    """

    name: str = Field(min_length=1)
    email: str = Field(default="", pattern=EMAIL)
    chat: str | None = Field(default=None, min_length=1)
    text: str | None = Field(default=None, min_length=1)
    marketplaces: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    hours: str | OpenHours | None = None
    absent: tuple[Absence, ...] = ()
    quiet: str | OpenHours | None = None
    language: Language = "en"
    timezone: Annotated[str, AfterValidator(zone)] = "UTC"

    @property
    def recipient(self) -> str:
        """Under what the outbox and alerts know the agent: the e-mail address; without one the name."""
        return self.email or self.name

    def hours_at(self, moment: datetime, levels: ServiceLevels) -> OpenHours | None:
        """The working hours in force then (aware UTC); None: every hour of every day."""
        return _in_force(self.hours, moment, levels)

    def quiet_at(self, moment: datetime, levels: ServiceLevels) -> OpenHours | None:
        """The quiet hours in force then (aware UTC); None: no hour is quiet."""
        return _in_force(self.quiet, moment, levels)

    def is_away(self, moment: datetime, hours: OpenHours | None) -> bool:
        """Whether one of the days away is that of `moment` where these hours are."""
        today = moment.astimezone(ZoneInfo(hours.timezone) if hours else UTC).date()
        return any(span.first <= today <= span.last for span in self.absent)


def _in_force(hours: str | OpenHours | None, moment: datetime, levels: ServiceLevels) -> OpenHours | None:
    if not isinstance(hours, str):
        return hours
    versions = [each for each in levels.calendars if each.name == hours and _began(each) <= moment]
    return max(versions, key=_began, default=None)


def _began(calendar: Calendar) -> datetime:
    return calendar.in_force_from or datetime.min.replace(tzinfo=UTC)


class OrderFilter(StrictModel):
    """Fields of a ticket's order as they were when the ticket came; a ticket without an order passes none of them.

    Attributes:
        total_at_least: in the order's own currency; name `currencies` beside it.
        skus: an order with one of these passes.
    """

    statuses: tuple[str, ...] = ()
    fulfilled_by: tuple[Literal["AMAZON", "MERCHANT"], ...] = ()
    ship_countries: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    total_at_least: Decimal | None = None
    skus: tuple[str, ...] = ()
    is_prime: bool | None = None
    is_business: bool | None = None


class TicketFilter(StrictModel):
    """Which tickets: all that are named; what is not named does not matter.

    Attributes:
        languages: of the buyer's first message, such as de; without one, the marketplace's.
    """

    accounts: tuple[str, ...] = ()
    marketplaces: tuple[str, ...] = ()
    desks: tuple[Desk, ...] = ()
    ticket_types: tuple[TicketType, ...] = ()
    languages: tuple[str, ...] = ()
    order: OrderFilter | None = None

    def row(self) -> dict[str, Any]:
        """As a row for SQL: null for what does not matter."""
        fields = self.model_dump(mode="json", include=set(TicketFilter.model_fields) - {"order"})
        fields |= {
            f"order_{name}": value for name, value in (self.order or OrderFilter()).model_dump(mode="json").items()
        }
        return {name: None if value == [] else value for name, value in fields.items()}


class View(TicketFilter):
    """A saved filter."""

    name: str = Field(min_length=1)


class Team(StrictModel):
    """Agents who share their work; `lead`, an agent too, is told of what they do not get done."""

    name: str = Field(min_length=1)
    agents: tuple[str, ...] = Field(min_length=1)
    lead: str | None = None


class Rule(StrictModel):
    """To whom new tickets go. Exactly one of `view` and `tickets`; a team, agents, or both.

    Attributes:
        view: name of a view. tickets: a filter of the rule's own; {} is for all tickets.
        team: one of its agents gets the ticket. agents: all of them do.
    """

    name: str = Field(min_length=1)
    view: str | None = None
    tickets: TicketFilter | None = None
    team: str | None = None
    agents: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _says_which_and_to_whom(self) -> "Rule":
        if (self.view is None) == (self.tickets is None):
            raise ValueError("expected either view or tickets (a filter; {} for all tickets)")
        if self.team is None and not self.agents:
            raise ValueError("expected a team, agents, or both")
        return self


class Lists(StrictModel):
    """E-mail addresses to which the worklists of whole desks and marketplaces go."""

    desks: dict[Desk, tuple[Annotated[str, Field(pattern=EMAIL)], ...]] = Field(default_factory=dict)
    marketplaces: dict[str, tuple[Annotated[str, Field(pattern=EMAIL)], ...]] = Field(default_factory=dict)


class Assignment(StrictModel):
    """Teams, views and rules. Every rule that is for a ticket applies, in any order.

    Attributes:
        manager: the agent who is told what the leads do not get done.
    """

    manager: str | None = None
    lists: Lists = Lists()
    teams: tuple[Team, ...] = ()
    views: tuple[View, ...] = ()
    rules: tuple[Rule, ...] = ()

    def members(self, team: str) -> frozenset[str]:
        """Names of the team's agents; none of a team that is no longer there."""
        return frozenset(name for each in self.teams if each.name == team for name in each.agents)


def problems(
    assignment: Assignment, agents: Sequence[Agent], levels: ServiceLevels, accounts: set[str], countries: set[str]
) -> Iterator[Problem]:
    """Names in agents.yaml and assignment.yaml that nothing has."""
    calendars = {ALWAYS, *(each.name for each in levels.calendars)}
    for place, agent in enumerate(agents):
        for field, name in (("hours", agent.hours), ("quiet", agent.quiet)):
            if isinstance(name, str) and name not in calendars:
                yield ("agents", place, field), _unknown(f"agent {agent.name}", "calendar", name, calendars)
    known = {
        "agent": {agent.name for agent in agents},
        "team": {team.name for team in assignment.teams},
        "view": {view.name for view in assignment.views},
        "account": accounts,
        "marketplace": countries,
    }
    for country in assignment.lists.marketplaces:
        if country not in countries:
            yield ("assignment", "lists", "marketplaces", country), _unknown("lists", "marketplace", country, countries)
    for where, who, kind, name in _names(assignment):
        if name not in known[kind]:
            yield ("assignment", *where), _unknown(who, kind, name, known[kind])


def _names(assignment: Assignment) -> Iterator[tuple[Location, str, str, str]]:
    yield from _names_of_people(assignment)
    for place, view in enumerate(assignment.views):
        yield from _names_of_filter(("views", place), f"view {view.name}", view)
    for place, rule in enumerate(assignment.rules):
        who = f"rule {rule.name}"
        if rule.view is not None:
            yield ("rules", place, "view"), who, "view", rule.view
        if rule.tickets is not None:
            yield from _names_of_filter(("rules", place, "tickets"), who, rule.tickets)
        if rule.team is not None:
            yield ("rules", place, "team"), who, "team", rule.team
        for number, name in enumerate(rule.agents):
            yield ("rules", place, "agents", number), who, "agent", name


def _names_of_people(assignment: Assignment) -> Iterator[tuple[Location, str, str, str]]:
    if assignment.manager is not None:
        yield ("manager",), "manager", "agent", assignment.manager
    for place, team in enumerate(assignment.teams):
        if team.lead is not None:
            yield ("teams", place, "lead"), f"team {team.name}", "agent", team.lead
        for number, name in enumerate(team.agents):
            yield ("teams", place, "agents", number), f"team {team.name}", "agent", name


def _names_of_filter(where: Location, who: str, tickets: TicketFilter) -> Iterator[tuple[Location, str, str, str]]:
    for number, name in enumerate(tickets.accounts):
        yield (*where, "accounts", number), who, "account", name
    for number, name in enumerate(tickets.marketplaces):
        yield (*where, "marketplaces", number), who, "marketplace", name


def _unknown(who: str, kind: str, name: str, known: set[str]) -> str:
    return f"{who}: unknown {kind} {name}; known: {', '.join(sorted(known)) or 'none'}"
