"""Renders worklists and alerts as mail: HTML and plain text from the same items."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from itertools import groupby
from typing import Any
from unicodedata import east_asian_width

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context, select_autoescape
from jinja2.runtime import Context

from amazon_support.outputs.items import SECTIONS, ListOf, Worklist, one_line
from amazon_support.outputs.reader import ENGLISH, N_, Reader
from amazon_support.settings import home

# Gmail cuts off what is longer. With so many items (of replies, of each other section, of orders in an alert) mail
# stays below, unless buyers' words are long.
GMAIL_LIMIT = 102_000  # bytes
MAIL_REPLIES, MAIL_ITEMS, MAIL_ORDERS = 40, 10, 25


TITLES: dict[ListOf, str] = {
    "agent": N_("Worklist for {name}"),
    "team": N_("Worklist of the team {name}"),
    "desk": N_("Worklist of the desk {name}"),
    "marketplace": N_("Worklist of the marketplace {name}"),
}
SUBJECTS: dict[ListOf, str] = {
    "agent": N_("Worklist {time}: {counts}"),
    "team": N_("Worklist of the team {name} {time}: {counts}"),
    "desk": N_("Worklist of the desk {name} {time}: {counts}"),
    "marketplace": N_("Worklist of the marketplace {name} {time}: {counts}"),
}


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
    def more(self) -> int:
        return self.count - len(self.items)


@dataclass(frozen=True)
class Page:
    """What the templates show.

    Attributes:
        rest: says where to see what is left out. link: URL of the page that has it; empty: not known.
        shows_agents: whether it says of each item who has it.
    """

    title: str
    as_of: datetime
    lead: str
    groups: Sequence[Group]
    is_at_risk: Callable[[Any], bool] = lambda item: False
    rest: str = N_("the worklist's page or file")
    link: str = ""
    shows_agents: bool = False

    @cached_property
    def has_accounts(self) -> bool:
        """Whether items of several accounts are shown, so that each must be named."""
        return len({item.account for group in self.groups for item in group.items}) > 1

    def urgency(self, item: Any) -> str:
        """`late`, `soon` or nothing."""
        if item.is_late:
            return "late"
        return "soon" if self.is_at_risk(item) else ""


def worklist_mail(worklist: Worklist) -> Rendered:
    """The mail of a worklist: the most urgent items of each section, and how many more there are.

    The subject has nobody's words.
    """
    reader = worklist.reader
    subject = reader.say(
        SUBJECTS[worklist.of], name=worklist.name, time=reader.clock(worklist.as_of), counts=_lead(worklist)
    )
    for share in (1, 2, 4, 8):
        rendered = render_page(subject, _worklist_page(worklist, share=share), reader=reader)
        if len(rendered.html.encode()) < GMAIL_LIMIT:
            break
    return rendered


def worklist_page(worklist: Worklist) -> str:
    """The whole worklist as an HTML page."""
    return _render("message.html.j2", _worklist_page(worklist), worklist.reader)


def _worklist_page(worklist: Worklist, *, share: int | None = None) -> Page:
    """All of it; of a mail, such a share of the most that it may show: 1 all, 2 half."""
    groups = []
    for section, found in groupby(worklist.shown, key=lambda item: item.section):
        items = list(found)
        limit = MAIL_REPLIES if section == "reply_now" else MAIL_ITEMS
        late = sum(item.is_late for item in items) if section == "orders_to_ship" else 0
        heading = worklist.reader.say(SECTIONS[section])
        groups.append(Group(heading, len(items), items[: limit // share if share else None], late))
    lead = _lead(worklist) if worklist.items else worklist.reader.say("Nothing to do.")
    title = worklist.reader.say(TITLES[worklist.of], name=worklist.name)
    shows_agents = worklist.of != "agent"
    return Page(title, worklist.as_of, lead, groups, worklist.is_at_risk, link=worklist.page, shows_agents=shows_agents)


def _lead(worklist: Worklist) -> str:
    late = sum(item.is_late for item in worklist.items)
    soon = sum(worklist.is_at_risk(item) for item in worklist.items)
    return worklist.reader.say(
        "{late} late, {soon} at risk, {all} in all", late=late, soon=soon, all=len(worklist.items)
    )


def render_page(subject: str, page: Page, template: str = "message", *, reader: Reader = ENGLISH) -> Rendered:
    """Both forms of a message, by include/templates/<template>.html.j2 and .txt.j2, in the reader's words.

    Templates say `_("… {name} …", name=value)` for what is to be translated, and `| when` for instants.
    """
    html, plain = (_render(f"{template}.{form}.j2", page, reader) for form in ("html", "txt"))
    return Rendered(subject, html, plain)


def _render(template: str, page: Page, reader: Reader) -> str:
    return render_template(template, reader, page=page)


def render_template(template: str, reader: Reader, **shown: Any) -> str:
    """A template of include/templates in the reader's words."""
    return str(_templates().get_template(template).render(reader=reader, _=reader.say, **shown))


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(home() / "include" / "templates"),
        autoescape=select_autoescape(disabled_extensions=("txt.j2",), default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(when=_when, one_line=one_line, pad=pad)
    return environment


@pass_context
def _when(context: Context, moment: datetime) -> str:
    reader: Reader = context["reader"]
    return reader.when(moment)


def pad(text: str, width: int) -> str:
    """Filled up with spaces to as many columns of a terminal; Chinese and Japanese letters take two."""
    return text + " " * (width - sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text))
