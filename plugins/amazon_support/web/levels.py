"""Service levels: figures, their shape, and the tickets behind each of them."""

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import Connection

from amazon_support.outputs import levels as figures
from amazon_support.settings import Settings
from amazon_support.warehouse import run_step
from amazon_support.web.page import render
from amazon_support.web.reading import Row, rows
from amazon_support.web.state import NowDep, SettingsDep, WarehouseDep
from amazon_support.web.visitor import VisitorDep

router = APIRouter(prefix="/levels")
By = Literal["marketplace", "agent", "ticket_type", "desk", "team"]
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
BUCKETS = (0, 3600, 7200, 14400, 28800, 43200, 86400, 172800)  # least seconds; as levels/shape.sql has them
SHADES = 4
MOST_KEPT = 500  # answers, of some 20 kB each
LONGEST = 92  # days of which single cycles are looked at; compliance is counted day by day already


@dataclass(frozen=True)
class Asked:
    """What the visitor asks about: the last days that have ended (UTC), a metric, a marketplace ("": all)."""

    days: int
    metric: str
    by: By
    marketplace: str

    @property
    def places(self) -> list[str] | None:
        return [self.marketplace] if self.marketplace else None

    def span(self, now: datetime) -> tuple[date, date]:
        today = now.astimezone(UTC).date()
        return today - timedelta(days=self.days), today

    def near(self, now: datetime) -> tuple[date, date]:
        """The last of those days: as many as single cycles are looked at of."""
        today = now.astimezone(UTC).date()
        return today - timedelta(days=min(self.days, LONGEST)), today


async def asked(
    days: Annotated[int, Query(ge=1, le=400)] = 30,
    metric: Annotated[str, Query(max_length=40)] = "amazon_reply",
    by: By = "marketplace",
    marketplace: Annotated[str, Query(max_length=2)] = "",
) -> Asked:
    return Asked(days, metric, by, marketplace)


@dataclass(frozen=True)
class Figures:
    """What levels/days.sql, levels/by.sql and levels/shape.sql say of what was asked."""

    by_day: list[Row]
    by_name: list[Row]
    shape: list[Row]


_kept: dict[tuple[object, ...], Figures] = {}

AskedDep = Annotated[Asked, Depends(asked)]


@router.get("")
def levels(
    request: Request,
    visitor: VisitorDep,
    connection: WarehouseDep,
    current: SettingsDep,
    now: NowDep,
    asked: AskedDep,
) -> Response:
    """Compliance by day and by whatever is asked for, how long answers take, and when buyers write."""
    found = _figures(connection, _accounts(current), asked, now)
    met = sum(row["met"] for row in found.by_day)
    judged = met + sum(row["breached"] for row in found.by_day)
    return render(
        request,
        "levels",
        visitor=visitor,
        now=now,
        asked=asked,
        query=urlencode(asdict(asked)),
        by_day=found.by_day,
        by_name=found.by_name,
        share_met=met / judged if judged else None,
        judged=judged,
        buckets=_buckets(found.shape),
        hours=_hours(found.shape),
        weekdays=WEEKDAYS,
        longest=LONGEST,
        contacts=rows(connection, "contact_response"),
        metrics=sorted(
            {name for policy in current.service_levels.policies for name, _ in policy.metrics.measured()} | {"ticket"}
        ),
        marketplaces=sorted(current.by_country),
    )


def _figures(connection: Connection, accounts: list[str], asked: Asked, now: datetime) -> Figures:
    """Kept until compliance is written anew: of millions of cycles, looking at each of them takes a second."""
    version = run_step(connection, "compliance/version.sql").scalar()
    since, until = asked.span(now)
    question = (connection.engine.url, version, *accounts, asked, until)
    found = _kept.get(question) if version else None
    if found is None:
        about = {"metric": asked.metric, "places": asked.places}
        near_since, _ = asked.near(now)
        found = Figures(
            figures.days(connection, since, until, **about),
            figures.by(connection, since, until, asked.by, **about),
            figures.shape(connection, accounts, near_since, until, **about),
        )
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        _kept[question] = found
    return found


@router.get("/tickets")
def tickets(
    request: Request,
    visitor: VisitorDep,
    connection: WarehouseDep,
    current: SettingsDep,
    now: NowDep,
    asked: AskedDep,
    name: Annotated[str | None, Query(max_length=200)] = None,
    day: date | None = None,
    outcome: Literal["met", "breached"] | None = None,
    weekday: Annotated[int | None, Query(ge=1, le=7)] = None,
    hour: Annotated[int | None, Query(ge=0, le=23)] = None,
    least: Annotated[int | None, Query(ge=0)] = None,
    below: Annotated[int | None, Query(ge=0)] = None,
) -> Response:
    """The cycles behind a figure, the longest first, as far as the visitor may see their tickets."""
    since, until = (day, day + timedelta(days=1)) if day else asked.near(now)
    found = figures.cycles(
        connection,
        _accounts(current),
        since,
        until,
        metric=asked.metric,
        places=asked.places,
        by=asked.by,
        name=name,
        outcome=outcome,
        weekday=weekday,
        hour=hour,
        least=least,
        below=below,
        **visitor.scope,
    )
    narrowed = [
        name,
        outcome,
        day and f"{day}",
        weekday and WEEKDAYS[weekday - 1],
        hour is not None and f"{hour:02}:00 UTC",
    ]
    return render(
        request,
        "levels_tickets",
        visitor=visitor,
        now=now,
        asked=asked,
        query=urlencode(asdict(asked)),
        cycles=found,
        narrowed=[each for each in narrowed if each],
        least=least,
        below=below,
        longest=LONGEST,
    )


def _accounts(current: Settings) -> list[str]:
    return [account.name for account in current.accounts]


def _buckets(shape: list[Row]) -> list[Row]:
    """How many cycles took how long, the shortest first; none at all if none ended."""
    cycles = {row["bucket"]: row["cycles"] for row in shape if row["bucket"] is not None}
    ends = (*BUCKETS[1:], None)
    return [
        {"least": least, "below": below, "cycles": cycles.get(least, 0)}
        for least, below in zip(BUCKETS, ends, strict=True)
        if cycles
    ]


def _hours(shape: list[Row]) -> list[list[Row]]:
    """Seven weekdays of 24 hours with cycles that began then, breached ones, and a shade of 0 to SHADES."""
    began = {(row["weekday"], row["hour"]): row for row in shape if row["weekday"] is not None}
    most = max((row["cycles"] for row in began.values()), default=0)
    nothing = {"cycles": 0, "breached": 0}

    def cell(weekday: int, hour: int) -> Row:
        row = began.get((weekday, hour), nothing)
        return {**row, "hour": hour, "shade": -(-row["cycles"] * SHADES // most)}

    return [[cell(weekday, hour) for hour in range(24)] for weekday in range(1, 8)] if most else []
