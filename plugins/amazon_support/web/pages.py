"""The pages: what each reads, and what it shows. As of now; nothing is written but who saw personal data."""

import re
from datetime import UTC, datetime, time, timedelta
from itertools import groupby
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse, RedirectResponse
from sqlalchemy import Connection

from amazon_support.outputs.items import SECTIONS
from amazon_support.outputs.ticket_history import TicketHistory, UnknownTicket, ticket_history
from amazon_support.settings import Settings, home
from amazon_support.warehouse import run_step
from amazon_support.web.page import FILES, render
from amazon_support.web.state import NowDep, SettingsDep, WarehouseDep
from amazon_support.web.visitor import Visitor, VisitorDep

router = APIRouter()
Row = dict[str, Any]
By = Literal["marketplace", "agent", "ticket_type", "desk", "team"]
ADDRESS = re.compile(r"\S+@\S+")
LONGEST_QUESTION = 200


def _rows(connection: Connection, step: str, **parameters: Any) -> list[Row]:
    return [dict(row) for row in run_step(connection, f"web/{step}.sql", parameters).mappings()]


def _note_view(connection: Connection, visitor: Visitor, account: str, subject: str, page: str, at: datetime) -> None:
    """In the transaction that reads the data: without the record nothing is shown."""
    seen = {"account": account, "subject": subject, "visitor": visitor.name, "page": page, "seen_at": at}
    run_step(connection, "web/note_view.sql", seen)


@router.get("/")
def front(request: Request, visitor: VisitorDep) -> Response:
    return RedirectResponse(f"{request.scope.get('root_path', '')}/worklist")


@router.get("/static/{name}")
def static(name: str) -> Response:
    if name not in FILES:
        raise HTTPException(404, f"There is no file {name}.")
    headers = {"Cache-Control": "private, max-age=31536000, immutable"}
    return FileResponse(home() / "include" / "static" / name, media_type=FILES[name], headers=headers)


@router.get("/worklist")
def worklist(
    request: Request,
    visitor: VisitorDep,
    connection: WarehouseDep,
    current: SettingsDep,
    now: NowDep,
    agent: Annotated[str | None, Query(max_length=LONGEST_QUESTION)] = None,
    marketplace: Annotated[str | None, Query(max_length=2)] = None,
) -> Response:
    """What there is to do, by section; of one agent, one marketplace, or all that the visitor may see."""
    if not visitor.sees_all:
        agent = visitor.agent
    items = _rows(
        connection,
        "worklist",
        agent=agent or None,
        marketplaces=[marketplace] if marketplace else None,
        asked=now,
    )
    order = list(SECTIONS)
    items.sort(key=lambda item: order.index(item["section"]))
    return render(
        request,
        "worklist",
        visitor=visitor,
        now=now,
        sections=[(SECTIONS[name], list(group)) for name, group in groupby(items, key=lambda item: item["section"])],
        count=len(items),
        as_of=items[0]["as_of"] if items else None,
        agents=[each.name for each in current.agents] if visitor.sees_all else [],
        marketplaces=sorted(current.by_country),
        agent=agent or "",
        marketplace=marketplace or "",
    )


# ---------- one ticket


@router.get("/tickets/{account}/{ticket_id:path}")
def ticket(
    request: Request,
    account: str,
    ticket_id: str,
    visitor: VisitorDep,
    connection: WarehouseDep,
    current: SettingsDep,
    now: NowDep,
) -> Response:
    """A ticket: what happened to it, its clocks, its order, and what else the buyer had to do with us."""
    try:
        history = ticket_history(connection, current, f"{account}/{ticket_id}", as_of=now)
    except UnknownTicket as error:
        raise HTTPException(404, str(error)) from None
    found = history.ticket
    agents = _rows(connection, "ticket_agents", account=account, ticket_id=ticket_id, as_of=now)
    if not (visitor.sees_all or found["marketplace"] in (visitor.marketplaces or ())) and visitor.agent not in {
        row["agent"] for row in agents
    }:
        raise HTTPException(403, f"Ticket {ticket_id} is of a marketplace of other agents.")
    personal = _personal(connection, history) if visitor.sees_personal_data else {"messages": {}, "contact": None}
    if visitor.sees_personal_data:
        _note_view(connection, visitor, account, ticket_id, "ticket", now)
    return render(
        request,
        "ticket",
        visitor=visitor,
        now=now,
        ticket=found,
        agents=agents,
        clocks=history.clocks,
        timeline=history.timeline,
        **_order(connection, found, now),
        **personal,
    )


def _order(connection: Connection, found: Row, now: datetime) -> Row:
    key = {"account": found["account"], "order_id": found["order_id"]}
    relatives = _rows(
        connection,
        "ticket_relatives",
        **key,
        ticket_id=found["ticket_id"],
        buyer_ref=found["buyer_ref"],
        as_of=now,
    )
    return {
        "order": next(iter(_rows(connection, "ticket_order", **key)), None),
        "items": _rows(connection, "ticket_items", **key),
        "packages": _rows(connection, "ticket_packages", **key),
        "relatives": relatives,
        "orders": _rows(connection, "ticket_orders_of_buyer", **key, as_of=now),
    }


def _personal(connection: Connection, history: TicketHistory) -> Row:
    mails = [activity["source_id"] for activity in history.timeline if activity["source"] == "mail"]
    account = history.ticket["account"]
    messages = _rows(connection, "ticket_messages", account=account, mail_ids=mails)
    contact = _rows(connection, "ticket_contact", account=account, order_id=history.ticket["order_id"])
    return {"messages": {row["mail_id"]: row for row in messages}, "contact": next(iter(contact), None)}


# ---------- search


@router.get("/search")
def search(
    request: Request,
    visitor: VisitorDep,
    connection: WarehouseDep,
    current: SettingsDep,
    now: NowDep,
    q: Annotated[str, Query(max_length=LONGEST_QUESTION)] = "",
) -> Response:
    """Tickets by order, case, SKU or ASIN; for who may see personal data, by alias, name and words, too."""
    asked = q.strip().replace("\0", "")
    found = _found(connection, visitor, current, asked, now) if asked else []
    if len(found) == 1:
        root = request.scope.get("root_path", "")
        return RedirectResponse(f"{root}/tickets/{found[0]['account']}/{found[0]['ticket_id']}".replace("#", "%23"))
    return render(request, "search", visitor=visitor, now=now, asked=asked, tickets=found)


def _found(connection: Connection, visitor: Visitor, current: Settings, asked: str, now: datetime) -> list[Row]:
    accounts = [account.name for account in current.accounts]
    ways = ["ids", "articles"]
    if visitor.sees_personal_data:
        ways.append("people" if ADDRESS.fullmatch(asked) else "words")
    keys: list[Row] = []
    for way in ways:
        if not keys:  # an order's tickets are wanted, not each mail that mentions it
            keys = _rows(connection, f"search_{way}", accounts=accounts, asked=asked)
            if keys and way in ("people", "words"):
                _note_view(connection, visitor, "", "search", "search", now)
    return _rows(
        connection,
        "tickets_listed",
        accounts=[key["account"] for key in keys],
        ticket_ids=[key["ticket_id"] for key in keys],
        marketplaces=visitor.marketplaces and list(visitor.marketplaces),
        agent=visitor.agent,
        as_of=now,
    )


# ---------- figures


@router.get("/levels")
def levels(
    request: Request,
    visitor: VisitorDep,
    connection: WarehouseDep,
    current: SettingsDep,
    now: NowDep,
    days: Annotated[int, Query(ge=1, le=400)] = 30,
    metric: Annotated[str, Query(max_length=40)] = "amazon_reply",
    by: By = "marketplace",
    marketplace: Annotated[str | None, Query(max_length=2)] = None,
) -> Response:
    """Compliance by day and by whatever is asked for, over the last days that have ended."""
    today = now.astimezone(UTC).date()
    asked = {"since": today - timedelta(days=days), "until": today, "metric": metric, "account": None}
    asked["marketplace"] = marketplace or None
    by_day = _rows(connection, "levels", **asked, agent=None, ticket_type=None)
    met, judged = sum(row["met"] for row in by_day), sum(row["met"] + row["breached"] for row in by_day)
    return render(
        request,
        "levels",
        visitor=visitor,
        now=now,
        by_day=by_day,
        by_name=_rows(connection, "levels_by", **asked, by=by),
        share_met=met / judged if judged else None,
        judged=judged,
        contacts=_rows(connection, "contact_response"),
        metrics=sorted(
            {name for policy in current.service_levels.policies for name, _ in policy.metrics.measured()} | {"ticket"}
        ),
        marketplaces=sorted(current.by_country),
        asked={"days": days, "metric": metric, "by": by, "marketplace": marketplace or ""},
    )


@router.get("/health")
def health(request: Request, visitor: VisitorDep, connection: WarehouseDep, now: NowDep) -> Response:
    """Account health as Amazon told it last, account by account."""
    figures = [row for row in _rows(connection, "health") if _may_see(visitor, row["marketplace"])]
    groups = groupby(figures, key=lambda row: (row["account"], row["marketplace"]))
    return render(request, "health", visitor=visitor, now=now, groups=[(key, list(rows)) for key, rows in groups])


def _may_see(visitor: Visitor, marketplace: str | None) -> bool:
    return visitor.marketplaces is None or marketplace in visitor.marketplaces


@router.get("/feedback")
def feedback(
    request: Request,
    visitor: VisitorDep,
    connection: WarehouseDep,
    current: SettingsDep,
    now: NowDep,
    days: Annotated[int, Query(ge=1, le=400)] = 90,
) -> Response:
    """Feedback of 1 to 3 stars, with what came before it."""
    rows = _rows(
        connection,
        "feedback",
        accounts=[account.name for account in current.accounts],
        marketplaces=visitor.marketplaces and list(visitor.marketplaces),
        since=now.astimezone(UTC).date() - timedelta(days=days),
    )
    return render(request, "feedback", visitor=visitor, now=now, feedback=rows, days=days)


@router.get("/pipeline")
def pipeline(request: Request, visitor: VisitorDep, connection: WarehouseDep, now: NowDep) -> Response:
    """Whether the pipeline does its work: how far sources are read, what came in, what is set aside, what goes out."""
    today = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    since = today - timedelta(days=1)
    return render(
        request,
        "pipeline",
        visitor=visitor,
        now=now,
        since=since,
        sources=_rows(connection, "pipeline_sources"),
        batches=_rows(connection, "pipeline_batches", since=since),
        calls=_rows(connection, "pipeline_calls", since=since),
        quarantine=_rows(connection, "pipeline_quarantine"),
        outbox=_rows(connection, "pipeline_outbox", since=since),
    )
