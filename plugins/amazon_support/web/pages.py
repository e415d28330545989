"""The pages: what each reads, and what it shows. As of now; nothing is written but who saw personal data."""

import re
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse, RedirectResponse
from sqlalchemy import Connection

from amazon_support.orchestration import hooks
from amazon_support.quality.docs import pages as quality_pages
from amazon_support.settings import Settings, home
from amazon_support.settings.load import FILES as SETTINGS_FILES
from amazon_support.settings.load import settings_file
from amazon_support.warehouse import read_step
from amazon_support.web import forms
from amazon_support.web.airflow_runs import RunsDep
from amazon_support.web.page import FILES, download, render
from amazon_support.web.reading import Row, each, note_view, rows
from amazon_support.web.state import NowDep, SettingsDep, WarehouseDep
from amazon_support.web.tickets import address
from amazon_support.web.visitor import Visitor, VisitorDep
from amazon_support.web.worklist import A_PAGE
from amazon_support.web.worklist import views as saved_views

router = APIRouter()
ADDRESS = re.compile(r"\S+@\S+")
LONGEST_QUESTION = 200
Form = Annotated[Literal["page", "csv"], Query(alias="format")]


@router.get("/")
def front(request: Request, visitor: VisitorDep) -> Response:
    return RedirectResponse(f"{request.scope.get('root_path', '')}/worklist")


@router.get("/static/{name}")
def static(name: str) -> Response:
    if name not in FILES:
        raise HTTPException(404, f"There is no file {name}.")
    headers = {"Cache-Control": "private, max-age=31536000, immutable"}
    return FileResponse(home() / "include" / "static" / name, media_type=FILES[name], headers=headers)


# ---------- tickets and search

OPEN = ("new", "open", "pending", "on_hold")
VIEWS = {
    "Waiting for us": {"status": "new,open"},
    "On hold": {"status": "on_hold"},
    "Waiting for the buyer": {"status": "pending"},
    "Claims": {"ticket_type": "a_to_z_claim"},
    "Performance": {"ticket_type": "performance_notification"},
}
TICKET_COLUMNS = (
    "account",
    "ticket_id",
    "marketplace",
    "ticket_type",
    "status",
    "status_since",
    "metric",
    "due_at",
    "last_event_at",
)
Choice = Annotated[str, Query(max_length=LONGEST_QUESTION)]


@router.get("/tickets")
def tickets(
    request: Request,
    visitor: VisitorDep,
    connection: WarehouseDep,
    current: SettingsDep,
    now: NowDep,
    status: Choice = "",
    ticket_type: Choice = "",
    marketplace: Choice = "",
    account: Choice = "",
    agent: Choice = "",
    after: Choice = "",
    written_as: Form = "page",
) -> Response:
    """Tickets that are not done, the first due first, a hundred a page, or all in a file; what is chosen stands in the
    address.

    `after`: the last row of the page before, as its due instant and id.
    """
    chosen = {
        "status": status,
        "ticket_type": ticket_type,
        "marketplace": marketplace,
        "account": account,
        "agent": agent,
    }
    after_due, _, after_id = after.partition("|")
    asked = {
        "as_of": now,
        "statuses": [name for name in OPEN if not status or name in status.split(",")],
        **{name: value or None for name, value in chosen.items() if name != "status"},
        **visitor.scope,
        "after_due": after_due or None,
        "after_id": after_id or None,
    }
    if written_as == "csv":
        return download("tickets", TICKET_COLUMNS, each(connection, "tickets", **asked, at_most=None))
    found = rows(connection, "tickets", **asked, at_most=A_PAGE)
    more = f"{found[-1]['sorted_by']}|{found[-1]['id']}" if len(found) < (found[0]["found"] if found else 0) else None
    return render(
        request,
        "tickets",
        visitor=visitor,
        now=now,
        tickets=found,
        chosen=chosen,
        query=urlencode({name: value for name, value in chosen.items() if value}),
        more=more and urlencode({**{name: value for name, value in chosen.items() if value}, "after": more}),
        views={name: urlencode(view) for name, view in VIEWS.items()},
        saved=saved_views(connection, visitor, "tickets"),
        form_key=forms.key(visitor.name, "views"),
        statuses=OPEN,
        types=[row["ticket_type"] for row in rows(connection, "ticket_types")],
        marketplaces=sorted(visitor.marketplaces or current.by_country),
        accounts=[each.name for each in current.accounts],
        agents=[each.name for each in current.agents],
    )


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
        return RedirectResponse(address(request, found[0]["account"], found[0]["ticket_id"]))
    return render(request, "search", visitor=visitor, now=now, asked=asked, tickets=found)


def _found(connection: Connection, visitor: Visitor, current: Settings, asked: str, now: datetime) -> list[Row]:
    accounts = [account.name for account in current.accounts]
    ways = ["ids", "articles"]
    if visitor.sees_personal_data:
        ways.append("people" if ADDRESS.fullmatch(asked) else "words")
    keys: list[Row] = []
    for way in ways:
        if not keys:  # an order's tickets are wanted, not each mail that mentions it
            keys = rows(connection, f"search_{way}", accounts=accounts, asked=asked)
            if keys and way in ("people", "words"):
                note_view(connection, visitor, "", "search", "search", now)
    return rows(
        connection,
        "tickets_listed",
        accounts=[key["account"] for key in keys],
        ticket_ids=[key["ticket_id"] for key in keys],
        **visitor.scope,
        as_of=now,
    )


# ---------- figures


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
    found = rows(
        connection,
        "feedback",
        accounts=[account.name for account in current.accounts],
        marketplaces=visitor.marketplaces and list(visitor.marketplaces),
        since=now.astimezone(UTC).date() - timedelta(days=days),
    )
    return render(request, "feedback", visitor=visitor, now=now, feedback=found, days=days)


@router.get("/settings")
def settings(request: Request, visitor: VisitorDep, current: SettingsDep) -> Response:
    """The settings files in force, for leads. They hold no secrets: those are in Airflow's connections."""
    if visitor.role != "lead":
        raise HTTPException(403, "Settings are shown to leads.")
    files = [(name, settings_file(name).read_text(encoding="utf-8")) for name in sorted(SETTINGS_FILES.values())]
    return render(request, "settings", visitor=visitor, files=files)


@router.get("/pipeline")
def pipeline(request: Request, visitor: VisitorDep, connection: WarehouseDep, now: NowDep, runs: RunsDep) -> Response:
    """Whether the pipeline does its work: how far sources are read, what came in, what is set aside, what goes out."""
    today = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    since = today - timedelta(days=1)
    return render(
        request,
        "pipeline",
        visitor=visitor,
        now=now,
        since=since,
        runs=runs,
        troubles=read_step(connection, "marts/data_quality_trouble.sql"),
        sources=rows(connection, "pipeline_sources"),
        batches=rows(connection, "pipeline_batches", since=since),
        calls=rows(connection, "pipeline_calls", since=since),
        quarantine=rows(connection, "pipeline_quarantine"),
        outbox=rows(connection, "pipeline_outbox", since=since),
        quality=quality_pages(hooks.quality_docs()),
    )


# Great Expectations' pages ask other hosts for scripts, styles and pictures; without any of it they can still be read.
QUALITY_POLICY = (
    "sandbox allow-same-origin; default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self'; font-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


@router.get("/quality/{path:path}")
def quality(visitor: VisitorDep, path: str) -> Response:
    """What the checks of the last day found: the pages that the daily run writes."""
    folder = hooks.quality_docs().resolve()
    file = (folder / path).resolve()
    if not file.is_relative_to(folder) or not file.is_file():
        raise HTTPException(404, "There is no such page: the job support_daily writes them.")
    return FileResponse(file, headers={"Content-Security-Policy": QUALITY_POLICY})
