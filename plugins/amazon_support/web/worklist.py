"""The worklist's page: what is chosen and how it is sorted stands in the address, and can be kept under a name."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from amazon_support.outputs.items import SECTIONS, Item, Shown
from amazon_support.warehouse import run_step
from amazon_support.web import forms
from amazon_support.web.page import download, render
from amazon_support.web.reading import Row, rows
from amazon_support.web.state import NowDep, SettingsDep, WarehouseDep
from amazon_support.web.visitor import Visitor, VisitorDep

router = APIRouter()
PAGES = ("worklist", "tickets")
A_PAGE = 200  # items at most
MOST_VIEWS = 30  # of one visitor and page
LAST = datetime.max.replace(tzinfo=UTC)
Name = Annotated[str, Query(max_length=200)]
Sort = Literal["due", "-due", "type", "-type", "marketplace", "-marketplace", "account", "-account", "total", "-total"]


@dataclass(frozen=True)
class Chosen:
    """What the visitor asks for; "" is anything.

    Attributes:
        sort: by what; with a minus the other way round. Whatever has no such value comes last.
    """

    agent: str
    marketplace: str
    account: str
    section: str
    ticket_type: str
    status: str
    sort: Sort

    @property
    def query(self) -> str:
        """As in the address."""
        return urlencode({name: value for name, value in asdict(self).items() if value and (name, value) != DEFAULT})

    def sorted_by(self, sort: str) -> str:
        """The same choice in another order, as in the address."""
        return replace(self, sort=sort).query  # type: ignore[arg-type]

    def of_section(self, section: str) -> str:
        """The same choice of one section, as in the address."""
        return replace(self, section=section).query

    def fits(self, item: Item) -> bool:
        """Whether the item is asked for; the agent was asked of the warehouse already."""
        wanted = ("marketplace", "account", "section", "ticket_type", "status")
        return all(getattr(self, name) in ("", getattr(item, name)) for name in wanted)


DEFAULT = ("sort", "due")


def chosen(
    agent: Name = "",
    marketplace: Name = "",
    account: Name = "",
    section: Name = "",
    ticket_type: Name = "",
    status: Name = "",
    sort: Sort = "due",
) -> Chosen:
    return Chosen(agent, marketplace, account, section, ticket_type, status, sort)


ChosenDep = Annotated[Chosen, Depends(chosen)]


@router.get("/worklist")
def worklist(
    request: Request,
    visitor: VisitorDep,
    connection: WarehouseDep,
    current: SettingsDep,
    now: NowDep,
    chosen: ChosenDep,
    skip: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    written_as: Annotated[Literal["page", "csv"], Query(alias="format")] = "page",
) -> Response:
    """What there is to do, by section, as far as the visitor may see it, so many items a page.

    `skip`: so many are on the pages before.
    """
    as_of, everything = listed(connection, visitor, chosen.agent, now)
    items = _sorted([item for item in everything if chosen.fits(item)], chosen.sort)
    if written_as == "csv":
        columns = [field.name for field in fields(Item) if field.name != "position"]
        return download("worklist", columns, map(asdict, items))
    return render(
        request,
        "worklist",
        visitor=visitor,
        now=now,
        chosen=chosen,
        sections=[
            (name, SECTIONS[name], [Shown(item) for item in group])
            for name, group in groupby(items[skip : skip + A_PAGE], key=lambda item: item.section)
        ],
        behind=skip + A_PAGE if skip + A_PAGE < len(items) else None,
        section_names=SECTIONS,
        counts=_counts(items),
        late=sum(item.is_late for item in items),
        as_of=as_of,
        agents=_agents(visitor, [each.name for each in current.agents]),
        values={
            name: sorted({value for item in everything if (value := getattr(item, name))})
            for name in ("marketplace", "account", "ticket_type", "status")
        },
        columns=("due", "type", "marketplace", "account", "total"),
        saved=views(connection, visitor, "worklist"),
        form_key=forms.key(visitor.name, "views"),
    )


def listed(
    connection: Connection, visitor: Visitor, agent: str | None, now: datetime
) -> tuple[datetime | None, list[Item]]:
    """The newest worklist by section, without what has been dealt with since, and the instant that it is of.

    Args:
        agent: whose; "" or None: everybody's. Who does not see all gets the own one, or that of somebody of the team.
    """
    whose = agent if visitor.sees_all or agent in visitor.team else visitor.agent
    found = rows(connection, "worklist", agent=whose or None, marketplaces=None, asked=now)
    order = list(SECTIONS)
    items = sorted((_item(row, now) for row in found), key=lambda item: order.index(item.section))
    return found[0]["as_of"] if found else rows(connection, "worklist_hour", asked=now)[0]["as_of"], items


def _agents(visitor: Visitor, everybody: Sequence[str]) -> list[str]:
    return [name for name in everybody if visitor.sees_all or (len(visitor.team) > 1 and name in visitor.team)]


def _item(row: Row, now: datetime) -> Item:
    """With the time left of now, not of the hour when the list was written."""
    due_at = row["due_at"]
    counted = {"position": 0, "seconds_left": int((due_at - now).total_seconds()) if due_at else None}
    shown: Any = {field.name: row[field.name] for field in fields(Item) if field.name in row} | counted
    return Item(**shown)


def _counts(items: Iterable[Item]) -> dict[str, int]:
    return {name: len(list(group)) for name, group in groupby(items, key=lambda item: item.section)}


def _sorted(items: list[Item], sort: Sort) -> list[Item]:
    """Within each section; what is alike stays in the order of the list."""
    keys: dict[str, Any] = {
        "due": lambda item: item.due_at,
        "type": lambda item: item.ticket_type,
        "marketplace": lambda item: item.marketplace,
        "account": lambda item: item.account,
        "total": lambda item: item.total_amount,
    }
    key, order = keys[sort.removeprefix("-")], list(SECTIONS)
    with_value = sorted((item for item in items if key(item) is not None), key=key, reverse=sort.startswith("-"))
    without = [item for item in items if key(item) is None]
    return sorted(with_value + without, key=lambda item: order.index(item.section))


# ---------- views that somebody keeps


def views(connection: Connection, visitor: Visitor, page: str) -> list[Row]:
    """(name, query) of the visitor's views of a page, by name."""
    return rows(connection, "page_views", visitor=visitor.name, page=page)


@router.post("/views")
def keep(
    request: Request,
    visitor: VisitorDep,
    connection: WarehouseDep,
    now: NowDep,
    key: Annotated[str, Form(max_length=500)],
    page: Annotated[str, Form(max_length=20)],
    name: Annotated[str, Form(max_length=60)],
    query: Annotated[str, Form(max_length=1000)] = "",
    action: Annotated[Literal["keep", "forget"], Form()] = "keep",
) -> Response:
    """Keeps what is chosen on a page under a name, or forgets that; a name that is there gets the new choice."""
    forms.identity(key, visitor.name, "views")
    if page not in PAGES:
        raise HTTPException(422, f"Views of {page} cannot be kept; of {' and '.join(PAGES)} they can.")
    if not name.strip():
        raise HTTPException(422, "A view needs a name.")
    mine = {"visitor": visitor.name, "page": page, "name": name.strip()}
    if action == "forget":
        run_step(connection, "web/page_view_forget.sql", mine)
    elif len(views(connection, visitor, page)) >= MOST_VIEWS:
        raise HTTPException(409, f"{MOST_VIEWS} views of a page are the most: forget one first.")
    else:
        run_step(connection, "web/page_view_keep.sql", mine | {"query": query, "saved_at": now})
    return RedirectResponse(f"{request.scope.get('root_path', '')}/{page}?{query}", 303)
