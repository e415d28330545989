"""Account health: figures against targets, their trend, and notifications with what is planned against them."""

from collections import defaultdict
from datetime import datetime, timedelta
from itertools import groupby
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query, Request, Response
from sqlalchemy import Connection

from amazon_support.web import forms
from amazon_support.web.page import render
from amazon_support.web.reading import Row, note_views, rows
from amazon_support.web.state import NowDep, WarehouseDep
from amazon_support.web.tickets import done, form_subject
from amazon_support.web.visitor import Visitor, VisitorDep

router = APIRouter(prefix="/health")
NAMING = ("account", "marketplace", "metric", "fulfilment", "period_days")
COMPARISONS = {
    "LESS_THAN": "<",
    "GREATER_THAN": ">",
    "EQUAL_TO": "=",
    "EQUALS": "=",
    "LESS_THAN_OR_EQUAL": "≤",
    "GREATER_THAN_OR_EQUAL": "≥",
}
MOST_FIGURES = 300  # on a page
Name = Annotated[str, Query(max_length=100)]


@router.get("")
def health(
    request: Request,
    visitor: VisitorDep,
    connection: WarehouseDep,
    now: NowDep,
    did: Annotated[str, Query(max_length=40)] = "",
    account: Name = "",
    of: Name = "",
    place: Name = "",
) -> Response:
    """Account health as Amazon told it last, account by account; notifications that are not done come first.

    Where there is much, one account a page: that of `of`; where that is still much, of its marketplaces only what is
    not good, and all of one: `place`. `did`, `account`: what the visitor has just done, and where.
    """
    figures = [row for row in rows(connection, "health") if visitor.sees(row["marketplace"])]
    accounts = sorted({row["account"] for row in figures})
    if len(figures) > MOST_FIGURES:
        shown = of if of in accounts else accounts[0]
        figures = [row for row in figures if row["account"] == shown and place in ("", row["marketplace"])]
    else:
        shown, accounts = "", []
    groups = groupby(map(_drawn, figures), key=lambda row: (row["account"], row["marketplace"]))
    notifications = rows(connection, "notifications", as_of=now, **visitor.scope)
    return render(
        request,
        "health",
        visitor=visitor,
        now=now,
        groups=[(key, list(each)) for key, each in groups],
        accounts=accounts,
        shown=shown,
        is_brief=not place and len(figures) > MOST_FIGURES,
        comparisons=COMPARISONS,
        notifications=[
            row | {"form_key": forms.key(visitor.name, form_subject(row["account"], row["ticket_id"]))}
            for row in notifications
        ],
        plans=_plans(connection, visitor, notifications, now),
        done=done(connection, account, did),
    )


def _drawn(figure: Row) -> Row:
    """With its gauge, and the address of its trend."""
    named = {name: figure[name] for name in NAMING if figure[name] is not None}
    return figure | {"gauge": gauge(figure), "query": urlencode(named)}


@router.get("/trend")
def trend(
    request: Request,
    visitor: VisitorDep,
    connection: WarehouseDep,
    now: NowDep,
    account: Name,
    marketplace: Name,
    metric: Name,
    fulfilment: Name | None = None,
    period_days: int | None = None,
    days: Annotated[int, Query(ge=1, le=400)] = 90,
) -> Response:
    """One figure day by day, beside its target."""
    if not visitor.sees(marketplace):
        raise HTTPException(403, f"{marketplace} is a marketplace of other agents.")
    told = rows(
        connection,
        "health_trend",
        account=account,
        marketplace=marketplace,
        metric=metric,
        fulfilment=fulfilment,
        period_days=period_days,
        since=now - timedelta(days=days),
    )
    return render(
        request,
        "health_trend",
        visitor=visitor,
        now=now,
        account=account,
        marketplace=marketplace,
        metric=metric,
        fulfilment=fulfilment,
        period_days=period_days,
        days=days,
        told=told,
        comparisons=COMPARISONS,
    )


def _plans(
    connection: Connection, visitor: Visitor, notifications: list[Row], now: datetime
) -> dict[tuple[str, str], list[Row]]:
    """What was noted on each notification's ticket, the newest first, on record; nothing for who may not see it."""
    plans: dict[tuple[str, str], list[Row]] = defaultdict(list)
    if notifications and visitor.sees_personal_data:
        tickets = [(row["account"], row["ticket_id"]) for row in notifications]
        note_views(connection, visitor, tickets, "health", now)
        keys = {"accounts": [account for account, _ in tickets], "ticket_ids": [ticket for _, ticket in tickets]}
        for note in rows(connection, "notes", **keys):
            plans[note["account"], note["ticket_id"]].append(note)
    return plans


def gauge(figure: Row) -> Row | None:
    """Where value and target lie on a scale of 0 to 100 that leaves room on both sides of the target; None without
    both of them."""
    if figure["value"] is None or figure["target_value"] is None:
        return None
    value, target = float(figure["value"]), float(figure["target_value"])
    wants_more = (figure["target_condition"] or "").startswith("GREATER")
    if wants_more and figure["unit"] == "share" and target <= 1:
        low, high = min(value, max(0.0, 1 - 4 * (1 - target))), 1.0
    else:
        low, high = 0.0, max(2 * target, value * 1.1, 1e-9 if target else 1.0)
    span = (high - low) or 1.0
    return {"value": round(100 * (value - low) / span, 1), "target": round(100 * (target - low) / span, 1)}
