"""Renders worklists and alerts as mail: HTML and plain text from the same items."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import groupby
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from amazon_support.outputs.items import SECTIONS, Item, Worklist, one_line, when
from amazon_support.settings import home

# Gmail cuts a mail off at 102 kB; with so many items (of replies, of each other section, of orders in an alert) it
# stays below.
MAIL_REPLIES, MAIL_ITEMS, MAIL_ORDERS = 40, 10, 25


@dataclass(frozen=True)
class Rendered:
    """A message in words: subject, HTML and plain text."""

    subject: str
    html: str
    plain: str


@dataclass(frozen=True)
class Group:
    """Items under one heading; `more` of them are not shown.

    Attributes:
        is_table: one line an item, for many of a kind.
    """

    heading: str
    count: int
    items: Sequence[Any]
    late: int = 0
    is_table: bool = False

    @property
    def size(self) -> str:
        return f"{self.count}, {self.late} late" if self.late else str(self.count)

    @property
    def more(self) -> int:
        return self.count - len(self.items)


@dataclass(frozen=True)
class Page:
    """What the templates show; `rest` says where to see what is left out."""

    title: str
    as_of: datetime
    lead: str
    groups: Sequence[Group]
    is_at_risk: Callable[[Item], bool] = lambda item: False
    rest: str = "the worklist's page or file"

    @property
    def has_accounts(self) -> bool:
        """Whether items of several accounts are shown, so that each must be named."""
        return len({item.account for group in self.groups for item in group.items}) > 1

    def urgency(self, item: Item) -> str:
        """`late`, `soon` or nothing."""
        if item.is_late:
            return "late"
        return "soon" if self.is_at_risk(item) else ""


def worklist_mail(worklist: Worklist) -> Rendered:
    """The mail of a worklist: the most urgent items of each section, and how many more there are."""
    page = _worklist_page(worklist, is_mail=True)
    return render_page(f"Worklist {_clock(worklist.as_of)}: {_lead(worklist)}", page)


def worklist_page(worklist: Worklist) -> str:
    """The whole worklist as an HTML page."""
    return _render("message.html.j2", _worklist_page(worklist, is_mail=False))


def _worklist_page(worklist: Worklist, *, is_mail: bool) -> Page:
    groups = []
    for section, found in groupby(worklist.items, key=lambda item: item.section):
        items = list(found)
        limit = MAIL_REPLIES if section == "reply_now" else MAIL_ITEMS
        late = sum(item.is_late for item in items) if section == "orders_to_ship" else 0
        groups.append(Group(SECTIONS[section], len(items), items[: limit if is_mail else None], late))
    lead = _lead(worklist) if worklist.items else "Nothing to do."
    return Page(f"Worklist for {worklist.agent}", worklist.as_of, lead, groups, worklist.is_at_risk)


def _lead(worklist: Worklist) -> str:
    late = sum(item.is_late for item in worklist.items)
    soon = sum(worklist.is_at_risk(item) for item in worklist.items)
    return f"{late} late, {soon} at risk, {len(worklist.items)} in all"


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%H:%M} UTC"


def render_page(subject: str, page: Page, template: str = "message") -> Rendered:
    """Both forms of a message, by include/templates/<template>.html.j2 and .txt.j2."""
    return Rendered(subject, _render(f"{template}.html.j2", page), _render(f"{template}.txt.j2", page))


def _render(template: str, page: Page) -> str:
    return _templates().get_template(template).render(page=page)


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(home() / "include" / "templates"),
        autoescape=select_autoescape(disabled_extensions=("txt.j2",), default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(when=when, one_line=one_line)
    return environment
