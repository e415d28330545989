"""The same for programs: worklist, tickets, events, compliance as JSON, with the same access as the pages.

Lists come a page at a time: ask again with `after` set to `next` of the answer before, until `next` is null. Ids stay
what they are. Times are ISO 8601 in UTC.
"""

import base64
import json
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from amazon_support.outputs.items import Item
from amazon_support.web.reading import Row, rows
from amazon_support.web.state import NowDep, SettingsDep, WarehouseDep
from amazon_support.web.tickets import shown_ticket, visible_ticket
from amazon_support.web.visitor import VisitorDep, visitor
from amazon_support.web.worklist import Chosen, listed

router = APIRouter(prefix="/api", dependencies=[Depends(visitor)])
LONGEST_SPAN = timedelta(days=400)
NEVER = "infinity"  # as PostgreSQL has it
PARTS_OF_A_PLACE = 7  # see include/sql/web/compliance.sql
After = Annotated[str | None, Query(max_length=1000, description="`next` of the answer before")]
Limit = Annotated[int, Query(ge=1, le=1000, description="rows of a page at most")]


class WorklistItem(BaseModel):
    """One thing to do. `id`: the same as long as it is on the list; seconds_left: as of now, negative once late."""

    id: str
    section: str
    account: str
    ticket_id: str | None
    order_id: str | None
    marketplace: str | None
    desk: str | None
    ticket_type: str | None
    status: str | None
    reason: str
    due_at: datetime | None
    seconds_left: int | None
    link: str | None
    order_status: str | None
    fulfilled_by: str | None
    ship_by_at: datetime | None
    total_amount: float | None
    currency: str | None
    items: str | None


class Worklist(BaseModel):
    """`written_at`: the instant that the list is of; null before there is one."""

    as_of: datetime
    written_at: datetime | None
    items: list[WorklistItem]
    next: str | None


class ListedTicket(BaseModel):
    """A ticket that is not done. `id`: account/ticket_id. metric, due_at: of the clock that is due first."""

    id: str
    account: str
    ticket_id: str
    marketplace: str | None
    ticket_type: str
    status: str
    status_since: datetime
    last_event_at: datetime
    metric: str | None
    due_at: datetime | None


class Tickets(BaseModel):
    as_of: datetime
    tickets: list[ListedTicket]
    next: str | None


class Clock(BaseModel):
    """One cycle of one clock, as of now. seconds_left: negative once breached; pauses: from_at, until_at, cause."""

    metric: str
    cycle: int
    state: str
    started_at: datetime
    due_at: datetime | None
    stopped_at: datetime | None
    stopped_by: str | None
    breached_at: datetime | None
    seconds_left: int | None
    policy: str
    calendar: str
    pauses: list[dict[str, Any]]


class Activity(BaseModel):
    """What happened to a ticket, or was refused."""

    at: datetime
    what: str
    about: str | None
    actor: str
    source: str
    source_id: str
    is_automatic: bool
    status_before: str | None
    status: str | None
    is_within_sla: bool | None
    refused: str | None


class Ticket(BaseModel):
    """All of a ticket. ticket, order, contact: one row each, or null; messages by mail_id and notes by source_id of
    the timeline, contact and addresses, and when which of them were removed: for agents and leads only."""

    as_of: datetime
    ticket: dict[str, Any]
    agents: list[dict[str, Any]]
    clocks: list[Clock]
    timeline: list[Activity]
    acknowledged: list[dict[str, Any]]
    black_listed: list[dict[str, Any]]
    undecided: str | None
    order: dict[str, Any] | None
    items: list[dict[str, Any]]
    packages: list[dict[str, Any]]
    review_requests: list[dict[str, Any]]
    relatives: list[dict[str, Any]]
    orders: list[dict[str, Any]]
    contact: dict[str, Any] | None
    addresses: list[dict[str, Any]]
    messages: dict[str, dict[str, Any]]
    notes: dict[str, str]
    removed: dict[str, datetime]


class Event(BaseModel):
    """One fact. (account, source, source_id) never changes; event_id grows, and a mail that is read again gets a new
    one. detail: what belongs to the kind, without personal data."""

    event_id: int
    account: str
    source: str
    source_id: str
    ticket_key: str
    marketplace: str | None
    kind: str
    ticket_type: str | None
    occurred_at: datetime
    landed_at: datetime
    actor: str
    order_id: str | None
    case_id: str | None
    is_automatic: bool
    detail: dict[str, Any]


class Events(BaseModel):
    """`next` is never null: asked again later with it, what was recorded since is told."""

    events: list[Event]
    next: str


class ComplianceRow(BaseModel):
    """A day or month of one marketplace, desk, team, agent and type. `id`: these together."""

    id: str
    starts_on: date
    account: str
    marketplace: str | None
    desk: str | None
    team: str | None
    agent: str | None
    ticket_type: str | None
    ended: int
    met: int
    breached: int
    share_met: float | None
    median_elapsed_seconds: float | None
    p90_elapsed_seconds: float | None
    p95_elapsed_seconds: float | None
    reopened: int | None
    backlog: int | None
    oldest_waiting_seconds: int | None


class Compliance(BaseModel):
    since: date
    until: date
    rows: list[ComplianceRow]
    next: str | None


@router.get("/openapi.json", include_in_schema=False)
def openapi(request: Request) -> Row:
    """What there is to ask, as OpenAPI has it."""
    described = get_openapi(title="Support desk", version="1", routes=router.routes, description=__doc__)
    return described | {"servers": [{"url": request.scope.get("root_path", "")}]}


@router.get("/worklist")
def worklist(
    visitor: VisitorDep,
    connection: WarehouseDep,
    now: NowDep,
    agent: Annotated[str, Query(max_length=200)] = "",
    team: Annotated[str, Query(max_length=200)] = "",
    desk: Annotated[str, Query(max_length=40)] = "",
    marketplace: Annotated[str, Query(max_length=2)] = "",
    after: After = None,
    limit: Limit = 1000,
) -> Worklist:
    """Items of the newest worklist by section, the first due first, with the time left as of now.

    An agent gets the own list, or that of somebody of the own team. What was dealt with since is not on it.
    """
    found = listed(
        connection,
        visitor,
        now,
        Chosen(agent=agent, team=team, desk=desk, marketplace=marketplace),
        after=_read(after, str, _instant, str) if after else None,
        at_most=limit + 1,
    )
    some = found.items[:limit]
    return Worklist(
        as_of=now,
        written_at=found.as_of,
        items=[WorklistItem(id=f"{item.section}/{_id(item)}", **vars(item)) for item in some],
        next=_written(_place(some[-1])) if len(found.items) > limit else None,
    )


@router.get("/tickets")
def tickets(
    visitor: VisitorDep,
    connection: WarehouseDep,
    now: NowDep,
    status: Annotated[str, Query(max_length=100, description="new, open, pending, on_hold; several with commas")] = "",
    ticket_type: Annotated[str | None, Query(max_length=40)] = None,
    marketplace: Annotated[str | None, Query(max_length=2)] = None,
    account: Annotated[str | None, Query(max_length=100)] = None,
    agent: Annotated[str | None, Query(max_length=200)] = None,
    after: After = None,
    limit: Limit = 100,
) -> Tickets:
    """Tickets that are not done, the first due first."""
    after_due, after_id = _read(after, _instant, str) if after else (None, None)
    found = rows(
        connection,
        "tickets",
        as_of=now,
        statuses=[name for name in ("new", "open", "pending", "on_hold") if not status or name in status.split(",")],
        ticket_type=ticket_type,
        marketplace=marketplace,
        account=account,
        agent=agent,
        **visitor.scope,
        after_due=after_due,
        after_id=after_id,
        at_most=limit,
    )
    last = found[-1] if len(found) == limit else None
    return Tickets(
        as_of=now,
        tickets=[ListedTicket(**row) for row in found],
        next=_written([last["sorted_by"], last["id"]]) if last else None,
    )


@router.get("/tickets/{account}/{ticket_id:path}")
def ticket(
    account: str, ticket_id: str, visitor: VisitorDep, connection: WarehouseDep, current: SettingsDep, now: NowDep
) -> Ticket:
    """One ticket with clocks, timeline and order. Words and names are there for agents and leads, on record."""
    return Ticket(as_of=now, **shown_ticket(connection, current, visitor, account, ticket_id, now, page="api"))


@router.get("/events")
def events(
    visitor: VisitorDep,
    connection: WarehouseDep,
    current: SettingsDep,
    now: NowDep,
    account: Annotated[str | None, Query(max_length=100)] = None,
    ticket_id: Annotated[str | None, Query(max_length=200, description="of one ticket; with account")] = None,
    after: After = None,
    limit: Limit = 1000,
) -> Events:
    """What happened to tickets, in the order in which it was recorded, without anybody's words.

    Made to be followed: keep `next`, and ask again with it.
    """
    if ticket_id and not account:
        raise HTTPException(422, "A ticket is named by account and ticket_id.")
    one = visible_ticket(connection, current, visitor, account or "", ticket_id, now)[0] if ticket_id else None
    found = rows(
        connection,
        "events",
        after=_read(after, int)[0] if after else 0,
        until=now,
        account=account,
        ticket_key=one and one["ticket_key"],
        **visitor.scope,
        at_most=limit,
    )
    following = _written([str(found[-1]["event_id"])]) if found else after or _written(["0"])
    return Events(events=[Event(**row) for row in found], next=following)


@router.get("/compliance")
def compliance(
    connection: WarehouseDep,
    since: date,
    until: date,
    period: Literal["day", "month"] = "day",
    metric: Annotated[str, Query(max_length=40)] = "amazon_reply",
    after: After = None,
    limit: Limit = 1000,
) -> Compliance:
    """Rows of mart.compliance_day or _month from `since` up to `until`, at most 400 days. Columns: docs."""
    until = min(until, since + LONGEST_SPAN)
    found = rows(
        connection,
        "compliance",
        since=since,
        until=until,
        period=period,
        metric=metric,
        after=_read(after, *[str] * PARTS_OF_A_PLACE) if after else None,
        at_most=limit + 1,
    )
    some = found[:limit]
    return Compliance(
        since=since,
        until=until,
        rows=[ComplianceRow(id="/".join(row["place"]), **row) for row in some],
        next=_written(some[-1]["place"]) if len(found) > limit else None,
    )


# ---------- pages by key: a row that comes or goes between two pages moves no other one


def _id(item: Item) -> str:
    return f"{item.account}/{item.ticket_id or item.order_id or ''}"


def _place(item: Item) -> list[str]:
    return [item.section, item.due_at.isoformat() if item.due_at else NEVER, _id(item)]


def _written(place: Sequence[str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(list(place)).encode()).decode().rstrip("=")


def _read(after: str, *parts: Callable[[str], Any]) -> list[Any]:
    """What _written wrote, each part of it read by its own function."""
    try:
        place = json.loads(base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)))
        return [part(each) for part, each in zip(parts, place, strict=True)]
    except (ValueError, TypeError) as error:
        raise HTTPException(422, "`after` is not what `next` of an answer said.") from error


def _instant(text: str) -> str:
    return text if text == NEVER else datetime.fromisoformat(text).isoformat()
