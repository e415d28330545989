"""The same for programs: worklist, ticket, compliance as JSON, with the same access as the pages."""

from datetime import date, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.openapi.utils import get_openapi

from amazon_support.web.pages import listed
from amazon_support.web.reading import Row, rows
from amazon_support.web.state import NowDep, SettingsDep, WarehouseDep
from amazon_support.web.tickets import shown_ticket
from amazon_support.web.visitor import VisitorDep, visitor

router = APIRouter(prefix="/api", dependencies=[Depends(visitor)])
LONGEST_SPAN = timedelta(days=400)


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
    agent: Annotated[str | None, Query(max_length=200)] = None,
    team: Annotated[str | None, Query(max_length=200)] = None,
    desk: Annotated[str | None, Query(max_length=200)] = None,
    marketplace: Annotated[str | None, Query(max_length=2)] = None,
) -> Row:
    """Items of the newest worklist, with the time left as of now in seconds, negative once late.

    An agent gets the own list. `written_at`: the instant that the list is of.
    """
    written_at, items, _ = listed(connection, visitor, now, agent=agent, team=team, desk=desk, marketplace=marketplace)
    return {"as_of": now, "written_at": written_at, "items": items}


@router.get("/tickets/{account}/{ticket_id:path}")
def ticket(
    account: str, ticket_id: str, visitor: VisitorDep, connection: WarehouseDep, current: SettingsDep, now: NowDep
) -> Row:
    """One ticket with clocks, timeline and order. Words and names are there for agents and leads, on record."""
    return {"as_of": now, **shown_ticket(connection, current, visitor, account, ticket_id, now, page="api")}


@router.get("/compliance")
def compliance(
    connection: WarehouseDep,
    since: date,
    until: date,
    period: Literal["day", "month"] = "day",
    metric: Annotated[str, Query(max_length=40)] = "amazon_reply",
) -> Row:
    """Rows of mart.compliance_day or _month from `since` up to `until`, at most 400 days. Columns: docs."""
    until = min(until, since + LONGEST_SPAN)
    return {
        "since": since,
        "until": until,
        "rows": rows(connection, "compliance", since=since, until=until, period=period, metric=metric),
    }
