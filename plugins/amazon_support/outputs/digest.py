"""The digest: a day, or a month, of support on one page for those who lead."""

import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection

from amazon_support.outputs import charts, levels
from amazon_support.outputs.channels import Attachment
from amazon_support.outputs.health import Figure, account_health
from amazon_support.outputs.messages import Rendered, render_template
from amazon_support.outputs.outbox import Message, enqueue
from amazon_support.outputs.reader import N_, Reader
from amazon_support.outputs.worklist import reader as reader_of
from amazon_support.settings import Agent, Settings
from amazon_support.settings.assignment import Team
from amazon_support.warehouse import run_step

Row = dict[str, Any]
DAY = timedelta(days=1)
TREND = timedelta(days=28)
MOST = 15  # breaches, and marketplaces, teams or agents, that a mail names; the page of service levels has all
CAUSES = {
    "reply_bounced": N_("a reply did not arrive"),
    "solved_without_reply": N_("solved without a reply"),
    "on_hold": N_("on hold when it was due"),
    "nobody_had_it": N_("nobody had it when it was due"),
    "came_at_weekend": N_("came at the weekend"),
    "not_answered_in_time": N_("not answered in time"),
}


@dataclass(frozen=True)
class Scope:
    """What a digest is of: the marketplaces, None for all, and what they are called together."""

    names: str = "all teams"
    places: tuple[str, ...] | None = None


EVERYTHING = Scope()


@dataclass(frozen=True)
class Digest:
    """What happened from `since` up to `until` (days, UTC), and the trend up to then.

    Attributes:
        names: of whom it tells. days: of the trend. before: share met in as long a time before, None without any.
        breaches: the latest first. shape: of the trend. figures: account health that needs attention.
    """

    since: date
    until: date
    names: str
    days: Sequence[Row]
    before: float | None
    by_marketplace: Sequence[Row]
    by_team: Sequence[Row]
    by_agent: Sequence[Row]
    breaches: Sequence[Row]
    shape: Sequence[Row]
    feedback: Sequence[Row]
    figures: Sequence[Figure]
    solved_by_itself: int
    quality: Sequence[Row]
    calls: Sequence[Row]

    @property
    def is_month(self) -> bool:
        return self.since.day == 1 and self.until.day == 1 and self.until - self.since <= timedelta(days=31)

    @property
    def until_at(self) -> datetime:
        return _midnight(self.until)

    @property
    def told(self) -> Sequence[Row]:
        return [row for row in self.days if row["day"] >= self.since]

    @property
    def met(self) -> int:
        return sum(int(row["met"]) for row in self.told)

    @property
    def judged(self) -> int:
        return self.met + sum(int(row["breached"]) for row in self.told)

    @property
    def share_met(self) -> float | None:
        return self.met / self.judged if self.judged else None

    @property
    def backlog(self) -> int:
        return int(self.told[-1]["backlog"]) if self.told else 0

    @property
    def backlog_before(self) -> int | None:
        earlier = [row for row in self.days if row["day"] < self.since]
        return int(earlier[-1]["backlog"]) if earlier else None

    @property
    def causes(self) -> list[tuple[str, int]]:
        """How many breaches have which cause, the most first."""
        return [(CAUSES[cause], count) for cause, count in Counter(row["cause"] for row in self.breaches).most_common()]

    @property
    def busiest(self) -> Sequence[Row]:
        """The three hours of the week in which most cycles of the trend began."""
        hours = [row for row in self.shape if row["weekday"] is not None]
        return sorted(hours, key=lambda row: (-row["cycles"], row["weekday"], row["hour"]))[:3]

    @property
    def is_empty(self) -> bool:
        return not (self.judged or self.breaches or self.backlog or self.feedback or self.figures)


def recipients(settings: Settings) -> Iterator[tuple[Agent, Scope]]:
    """The leads, each of the marketplaces of the own teams, and the manager, of everything; without any, every agent,
    of everything.
    """
    assignment = settings.assignment
    led: dict[str, list[Team]] = {}
    for team in assignment.teams:
        led.setdefault(team.lead or "", []).append(team)
    nobody_leads = not assignment.manager and set(led) <= {""}
    for agent in settings.agents:
        if agent.name == assignment.manager or nobody_leads:
            yield agent, EVERYTHING
        elif agent.name in led:
            yield agent, _scope(settings, led[agent.name])


def _scope(settings: Settings, teams: Sequence[Team]) -> Scope:
    """The marketplaces of the teams' agents, and those that accounts.yaml gives to the teams."""
    names = [team.name for team in teams]
    members = [agent for agent in settings.agents if any(agent.name in team.agents for team in teams)]
    places = {place for agent in members for place in agent.marketplaces}
    for account in settings.accounts:
        places |= {country for country, site in account.marketplaces.items() if site.team in names}
    has_all = any(not agent.marketplaces for agent in members)
    return Scope(", ".join(names), None if has_all else tuple(sorted(places)))


def of_day(connection: Connection, settings: Settings, scope: Scope, *, as_of: datetime) -> Digest:
    """Of the last day (UTC) that had ended then (aware UTC), with the 28 days before."""
    until = as_of.astimezone(UTC).date()
    return _digest(connection, settings, scope, until - DAY, until, trend_since=until - TREND)


def of_month(connection: Connection, settings: Settings, scope: Scope, *, as_of: datetime) -> Digest:
    """Of the last month (UTC) that had ended then (aware UTC)."""
    until = as_of.astimezone(UTC).date().replace(day=1)
    since = (until - DAY).replace(day=1)
    return _digest(connection, settings, scope, since, until, trend_since=since)


def _digest(
    connection: Connection,
    settings: Settings,
    scope: Scope,
    since: date,
    until: date,
    *,
    trend_since: date,
) -> Digest:
    accounts = [account.name for account in settings.accounts]
    theirs = {"places": None if scope.places is None else list(scope.places)}
    span = {"accounts": accounts, "since": _midnight(since), "until": _midnight(until)}

    def rows(step: str, **parameters: Any) -> list[Row]:
        return [dict(row) for row in run_step(connection, f"digest/{step}.sql", parameters).mappings()]

    earlier = levels.days(connection, since - (until - since), since, **theirs)
    figures = account_health(connection, settings, as_of=_midnight(until) + DAY / 4)
    breaches = rows("breaches", **span, **theirs)
    solved = rows("solved_by_itself", **span, **theirs)
    return Digest(
        since=since,
        until=until,
        names=scope.names,
        days=levels.days(connection, trend_since, until, **theirs),
        before=_share(earlier),
        by_marketplace=levels.by(connection, since, until, "marketplace", **theirs),
        by_team=levels.by(connection, since, until, "team", **theirs),
        by_agent=_by_agent(levels.by(connection, since, until, "agent", **theirs), breaches),
        breaches=breaches,
        shape=levels.shape(connection, accounts, trend_since, until, **theirs),
        feedback=rows("feedback", accounts=accounts, **theirs, since=since, until=until),
        figures=[f for f in figures if f.needs_attention and (scope.places is None or f.marketplace in scope.places)],
        solved_by_itself=int(solved[0]["tickets"]),
        quality=rows("quality", **span),
        calls=rows("calls", **span),
    )


def _by_agent(counted: Sequence[Row], breaches: Sequence[Row]) -> list[Row]:
    """What each agent answered in time and late by then, the lowest share first.

    Compliance gives a breach to whoever answers at last, also days later; a digest may not change with that.
    """
    met = Counter({row["name"]: int(row["met"]) for row in counted if row["met"]})
    late = Counter(row["answered_by"] for row in breaches if row["answered_by"])
    found = [
        {"name": name, "met": met[name], "breached": late[name], "share_met": met[name] / (met[name] + late[name])}
        for name in (met | late).keys() - {"unknown"}
    ]
    return sorted(found, key=lambda row: (row["share_met"], row["name"]))


def _share(days: Sequence[Row]) -> float | None:
    met, judged = sum(row["met"] for row in days), sum(row["met"] + row["breached"] for row in days)
    return float(met / judged) if judged else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


# ---------- in words


Pictures = dict[str, bytes]  # by name


def pictures(digest: Digest, form: charts.Format = "png") -> Pictures:
    """The charts of the digest; none of what did not happen."""
    found: Pictures = {}
    if any(row["share_met"] is not None or row["backlog"] for row in digest.days):
        found["share_and_backlog"] = charts.share_and_backlog(digest.days, form)
    if digest.busiest:
        found["busiest_hours"] = charts.busiest_hours(digest.shape, form)
    return found


def render(digest: Digest, reader: Reader, shown: Pictures, source: Callable[[str], str]) -> Rendered:
    """Both forms of the message.

    Args:
        shown: as of pictures(). source: where the picture of that name is, such as cid:….
    """
    title = _title(digest, reader)
    share = "–" if digest.share_met is None else f"{digest.share_met:.0%}"
    counts = {"breached": len(digest.breaches), "waiting": digest.backlog}
    subject = reader.say(
        "{title}: {share} met, {breached} breached, {waiting} waiting", title=title, share=share, **counts
    )
    told = replace(digest, figures=[replace(figure, reader=reader) for figure in digest.figures])
    given = {"digest": told, "title": title, "shown": shown, "source": source, "most": MOST, "causes": CAUSES}
    given["weekdays"] = _weekdays(reader)
    html, plain = (render_template(f"digest.{form}.j2", reader, **given) for form in ("html", "txt"))
    return Rendered(subject, html, plain)


def _title(digest: Digest, reader: Reader) -> str:
    from babel.dates import format_date

    locale = _locale(reader)
    if digest.is_month:
        return reader.say("Support in {month}", month=format_date(digest.since, "MMMM yyyy", locale=locale))
    return reader.say("Support on {day}", day=format_date(digest.since, "full", locale=locale))


def _weekdays(reader: Reader) -> list[str]:
    from babel.dates import get_day_names

    names = get_day_names("abbreviated", locale=_locale(reader))
    return [names[number] for number in range(7)]


def _locale(reader: Reader) -> str:
    return "en_GB" if reader.language == "en" else reader.language  # the day before the month, as everywhere here


def as_page(digest: Digest, reader: Reader) -> str:
    """The digest as one HTML file that needs nothing else: pictures and all."""
    shown = pictures(digest, "svg")

    def data(name: str) -> str:
        return f"data:image/svg+xml;base64,{base64.b64encode(shown[name]).decode()}"

    return render(digest, reader, shown, data).html


def queue(connection: Connection, settings: Settings, *, as_of: datetime) -> int:
    """Queues the digest of the last day for everybody who leads; on the first of a month with the month as a file.

    For live runs only. A repeated run queues nothing again.

    Returns: messages queued.
    """
    queued = 0
    made: dict[Scope, tuple[Digest, Digest | None]] = {}
    for agent, scope in recipients(settings):
        if scope not in made:
            is_first = as_of.astimezone(UTC).day == 1
            month = of_month(connection, settings, scope, as_of=as_of) if is_first else None
            made[scope] = of_day(connection, settings, scope, as_of=as_of), month
        queued += enqueue(connection, _message(agent, *made[scope], as_of=as_of))
    return queued


def _message(agent: Agent, digest: Digest, month: Digest | None, *, as_of: datetime) -> Message:
    shown = pictures(digest)
    words = reader_of(agent)
    attachments = [
        Attachment(f"{name}.png", "image/png", picture, content_id=f"{name}@digest") for name, picture in shown.items()
    ]
    if month:
        file = f"support-{month.since:%Y-%m}.html"
        attachments.append(Attachment(file, "text/html", as_page(month, words).encode()))
    return Message(
        kind="digest",
        recipient=agent.recipient,
        as_of=as_of,
        text=render(digest, words, shown, lambda name: f"cid:{name}@digest"),
        occasion=hashlib.sha256(agent.name.encode()).hexdigest()[:16],  # two may share an address
        attachments=attachments,
    )
