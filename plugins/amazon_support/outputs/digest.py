"""The digest: a day, or a month, of support on one page for those who lead."""

import base64
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection

from amazon_support.outputs import charts, levels
from amazon_support.outputs.health import Figure, account_health
from amazon_support.outputs.messages import Rendered, templates
from amazon_support.settings import Agent, Settings
from amazon_support.warehouse import run_step

Row = dict[str, Any]
DAY = timedelta(days=1)
TREND = timedelta(days=28)
MOST = 15  # breaches that a mail names; the page of service levels has all
CAUSES = {
    "reply_bounced": "a reply did not arrive",
    "solved_without_reply": "solved without a reply",
    "on_hold": "on hold when it was due",
    "nobody_had_it": "nobody had it when it was due",
    "came_at_weekend": "came at the weekend",
    "not_answered_in_time": "not answered in time",
}


@dataclass(frozen=True)
class Reader:
    """Somebody who gets the digest; `teams` None: of everybody."""

    agent: Agent
    teams: tuple[str, ...] | None


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
    def title(self) -> str:
        last = self.until - DAY
        if last == self.since:
            return f"Support on {self.since:%A}, {self.since.day} {self.since:%B %Y}"
        if self.is_month:
            return f"Support in {self.since:%B %Y}"
        return f"Support from {self.since} to {last}"

    @property
    def is_month(self) -> bool:
        return self.since.day == 1 and self.until.day == 1 and self.until - self.since <= timedelta(days=31)

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


def readers(settings: Settings) -> Iterator[Reader]:
    """The leads, each of the own teams, and the manager, of everything; without any, every agent, of everything."""
    assignment = settings.assignment
    teams: dict[str, tuple[str, ...]] = {}
    for team in assignment.teams:
        if team.lead:
            teams[team.lead] = (*teams.get(team.lead, ()), team.name)
    for agent in settings.agents:
        if agent.name == assignment.manager or not (teams or assignment.manager):
            yield Reader(agent, None)
        elif agent.name in teams:
            yield Reader(agent, teams[agent.name])


def of_day(connection: Connection, settings: Settings, teams: Sequence[str] | None, *, as_of: datetime) -> Digest:
    """Of the last day (UTC) that had ended then (aware UTC), with the 28 days before."""
    until = as_of.astimezone(UTC).date()
    return _digest(connection, settings, teams, until - DAY, until, trend_since=until - TREND)


def of_month(connection: Connection, settings: Settings, teams: Sequence[str] | None, *, as_of: datetime) -> Digest:
    """Of the last month (UTC) that had ended then (aware UTC)."""
    until = as_of.astimezone(UTC).date().replace(day=1)
    since = (until - DAY).replace(day=1)
    return _digest(connection, settings, teams, since, until, trend_since=since)


def _digest(
    connection: Connection,
    settings: Settings,
    teams: Sequence[str] | None,
    since: date,
    until: date,
    *,
    trend_since: date,
) -> Digest:
    accounts = [account.name for account in settings.accounts]
    theirs = {"teams": list(teams) if teams is not None else None}
    places = None
    if teams is not None:
        places = list(run_step(connection, "digest/places.sql", theirs).scalars())
    span = {"accounts": accounts, "since": _midnight(since), "until": _midnight(until)}

    def rows(step: str, **parameters: Any) -> list[Row]:
        return [dict(row) for row in run_step(connection, f"digest/{step}.sql", parameters).mappings()]

    earlier = levels.days(connection, since - (until - since), since, **theirs)
    figures = account_health(connection, settings, as_of=_midnight(until) + DAY / 4)
    solved = rows("solved_by_itself", **span, marketplaces=places)
    return Digest(
        since=since,
        until=until,
        names=", ".join(teams) if teams is not None else "all teams",
        days=levels.days(connection, trend_since, until, **theirs),
        before=_share(earlier),
        by_marketplace=levels.by(connection, since, until, "marketplace", **theirs),
        by_team=levels.by(connection, since, until, "team", **theirs),
        by_agent=[row for row in levels.by(connection, since, until, "agent", **theirs) if row["name"] != "unknown"],
        breaches=rows("breaches", **span, **theirs),
        shape=levels.shape(connection, accounts, trend_since, until, **theirs),
        feedback=rows("feedback", accounts=accounts, marketplaces=places, since=since, until=until),
        figures=[f for f in figures if f.needs_attention and (places is None or f.marketplace in places)],
        solved_by_itself=int(solved[0]["tickets"]),
        quality=rows("quality", **span),
        calls=rows("calls", **span),
    )


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


def render(digest: Digest, shown: Pictures, source: Callable[[str], str]) -> Rendered:
    """Both forms of the message.

    Args:
        shown: as of pictures(). source: where the picture of that name is, such as cid:….
    """
    share = "nothing due" if digest.share_met is None else f"{digest.share_met:.0%} met"
    subject = f"{digest.title}: {share}, {len(digest.breaches)} breached, {digest.backlog} waiting"
    given = {"digest": digest, "shown": shown, "source": source, "most": MOST, "causes": CAUSES}
    html, plain = (templates().get_template(f"digest.{form}.j2").render(**given) for form in ("html", "txt"))
    return Rendered(subject, html, plain)


def as_page(digest: Digest) -> str:
    """The digest as one HTML file that needs nothing else: pictures and all."""
    shown = pictures(digest, "svg")

    def data(name: str) -> str:
        return f"data:image/svg+xml;base64,{base64.b64encode(shown[name]).decode()}"

    return render(digest, shown, data).html
