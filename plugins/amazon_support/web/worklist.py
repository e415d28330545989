"""The worklist's page: what is chosen and how it is sorted stands in the address, and can be kept under a name."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from itertools import groupby
from typing import Annotated, Literal, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from amazon_support.outputs.items import SECTIONS, Item, Shown
from amazon_support.settings.base import Desk
from amazon_support.warehouse import run_step
from amazon_support.web import forms
from amazon_support.web.page import download, render
from amazon_support.web.reading import Row, each, rows
from amazon_support.web.state import NowDep, SettingsDep, WarehouseDep
from amazon_support.web.visitor import Visitor, VisitorDep

router = APIRouter()
PAGES = ("worklist", "tickets")
A_PAGE = 100  # items at most
MOST_VIEWS = 30  # of one visitor and page
FILE_COLUMNS = [
    field.name for field in fields(Item) if field.name not in ("position", "reasons", "agents", "is_new", "words")
]
LISTED_COLUMNS = [name for name in FILE_COLUMNS if name != "seconds_left"]
Name = Annotated[str, Query(max_length=200)]
Sort = Literal["due", "-due", "type", "-type", "marketplace", "-marketplace", "account", "-account", "total", "-total"]


@dataclass(frozen=True)
class Chosen:
    """What the visitor asks for; "" is anything.

    Attributes:
        sort: by what; with a minus the other way round. Whatever has no such value comes last.
    """

    agent: str = ""
    team: str = ""
    desk: str = ""
    marketplace: str = ""
    account: str = ""
    section: str = ""
    ticket_type: str = ""
    status: str = ""
    sort: Sort = "due"

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


DEFAULT = ("sort", "due")


@dataclass(frozen=True)
class Listed:
    """The newest worklist, or a page of it.

    Attributes:
        as_of: the instant that it is of, aware UTC; None: none has been written.
        counts, late: of all that is chosen, not only of the page; counts by section.
        choices: what marketplaces, accounts, types and statuses there are to choose from.
    """

    as_of: datetime | None
    items: list[Item]
    counts: dict[str, int]
    late: int
    choices: dict[str, list[str]]


async def chosen(
    agent: Name = "",
    team: Name = "",
    desk: Name = "",
    marketplace: Name = "",
    account: Name = "",
    section: Name = "",
    ticket_type: Name = "",
    status: Name = "",
    sort: Sort = "due",
) -> Chosen:
    return Chosen(agent, team, desk, marketplace, account, section, ticket_type, status, sort)


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
    if written_as == "csv":
        every = each(connection, "worklist", **_asked(visitor, now, chosen))
        return download("worklist", FILE_COLUMNS, (vars(_item(row, now)) for row in every if row["section"]))
    found = listed(connection, visitor, now, chosen, skip=skip, at_most=A_PAGE)
    return render(
        request,
        "worklist",
        visitor=visitor,
        now=now,
        chosen=chosen,
        sections=[
            (name, SECTIONS[name], [Shown(item) for item in group])
            for name, group in groupby(found.items, key=lambda item: item.section)
        ],
        behind=skip + A_PAGE if skip + A_PAGE < sum(found.counts.values()) else None,
        section_names=SECTIONS,
        counts={name: found.counts[name] for name in SECTIONS if name in found.counts},
        late=found.late,
        as_of=found.as_of,
        agents=_agents(visitor, [each.name for each in current.agents]),
        teams=[each.name for each in current.assignment.teams] if visitor.sees_all else [],
        desks=get_args(Desk) if visitor.sees_all else [],
        values=found.choices,
        columns=("due", "type", "marketplace", "account", "total"),
        saved=views(connection, visitor, "worklist"),
        form_key=forms.key(visitor.name, "views"),
    )


def listed(
    connection: Connection,
    visitor: Visitor,
    now: datetime,
    chosen: Chosen,
    *,
    skip: int = 0,
    after: Sequence[str] | None = None,
    at_most: int,
) -> Listed:
    """The newest worklist by section, as far as it is chosen, without what has been dealt with since.

    Who does not see all gets the own list, or that of somebody of the own team.

    Args:
        skip, at_most: of the items.
        after: section, due instant and id of the last item of the page before; None: the first page.
    """
    found = rows(connection, "worklist", **_asked(visitor, now, chosen, skip=skip, after=after, at_most=at_most))
    first = found[0]
    items = [_item(row, now) for row in found if row["section"]]
    choices = {name: values or [] for name, values in first["choices"].items()}
    return Listed(first["as_of"], items, first["counts"], first["late"], choices)


def _asked(
    visitor: Visitor,
    now: datetime,
    chosen: Chosen,
    *,
    skip: int = 0,
    after: Sequence[str] | None = None,
    at_most: int | None = None,
) -> Row:
    """Parameters of web/worklist.sql, as `listed` has them; at_most None: all."""
    asked: Row = {name: value or None for name, value in asdict(chosen).items()}
    asked |= dict(zip(("after_section", "after_due", "after_id"), after or (None, None, None), strict=True))
    asked["agent"] = (chosen.agent if visitor.sees_all or chosen.agent in visitor.team else visitor.agent) or None
    return asked | {"asked": now, "skip": skip, "at_most": at_most}


def _agents(visitor: Visitor, everybody: Sequence[str]) -> list[str]:
    return [name for name in everybody if visitor.sees_all or (len(visitor.team) > 1 and name in visitor.team)]


def _item(row: Row, now: datetime) -> Item:
    """With the time left of now, not of the hour when the list was written."""
    due_at = row["due_at"]
    seconds_left = int((due_at - now).total_seconds()) if due_at else None
    return Item(position=0, seconds_left=seconds_left, **{name: row[name] for name in LISTED_COLUMNS})


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
