"""How pages say times, spans, amounts and the names of things."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from amazon_support.outputs.items import duration, money, one_line
from amazon_support.settings import home

DAY = 86_400


def plain(name: str | None) -> str:
    """`a_to_z_claim` as people read it."""
    return "" if name is None else name.replace("_", " ")


def title(name: str | None) -> str:
    words = plain(name)
    return words[:1].upper() + words[1:]


def instant(moment: datetime | None, as_of: datetime) -> Markup:
    """How long ago, or until when, as <time> with the exact instant beside it; nothing for None."""
    if moment is None:
        return Markup("")
    utc, seconds = moment.astimezone(UTC), int((as_of - moment).total_seconds())
    words = f"{duration(seconds)} ago" if seconds >= 0 else f"in {duration(-seconds)}"
    if abs(seconds) >= 3 * DAY:
        words = f"{utc.day} {utc:%b %Y}"
    return _html(f'<time datetime="{utc.isoformat()}" title="{utc:%Y-%m-%d %H:%M:%S} UTC">{words}</time>')


def left(due_at: datetime | None, as_of: datetime) -> Markup:
    """Time left until due, or how late it is; counted on by the page itself."""
    if due_at is None:
        return Markup("")
    seconds = int((due_at - as_of).total_seconds())
    words = f"{duration(abs(seconds))} {'left' if seconds >= 0 else 'late'}"
    urgency = "late" if seconds < 0 else "soon" if seconds <= 4 * 3600 else "calm"
    utc = due_at.astimezone(UTC).isoformat()
    at = f'datetime="{utc}" title="due {utc[:10]} {utc[11:16]} UTC"'
    return _html(f'<time class="left {urgency}" data-due {at}>{words}</time>')


def _html(of_own_words: str) -> Markup:
    """HTML in which what comes from outside is escaped: escaping digits takes longer than all else of a long list."""
    return Markup(of_own_words)  # noqa: S704


def number(value: Decimal | float | None) -> str:
    """Without the zeros behind the point that nobody needs."""
    return "–" if value is None else f"{float(value):,.2f}".rstrip("0").rstrip(".")


def percent(share: Decimal | float | None) -> str:
    """A share of 0 to 1; a dash where nothing was counted."""
    return "–" if share is None else f"{float(share):.1%}"


def ticket_path(account: str, ticket_id: str) -> str:
    """Where the page of a ticket is, below the root of the pages."""
    return f"tickets/{quote(account)}/{quote(ticket_id, safe=':')}"


def ticket_link(root: str, account: str, ticket_id: str, words: str | None = None) -> Markup:
    """A link to the page of a ticket; without words, its id."""
    return _html(f'<a href="{escape(root)}/{ticket_path(account, ticket_id)}">{escape(words or ticket_id)}</a>')


def address(parts: Mapping[str, Any] | None) -> str:
    """An address of Amazon's in one line, from the name to the country."""
    names = ("name", "companyName", "addressLine1", "addressLine2", "addressLine3", "postalCode", "city",
             "districtOrCounty", "stateOrRegion", "countryCode")  # fmt: skip
    return ", ".join(str(parts[name]) for name in names if parts.get(name)) if parts else ""


def environment() -> Environment:
    """Jinja's, with autoescape and these words."""
    templates = Environment(
        loader=FileSystemLoader(home() / "include" / "templates" / "web"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words: dict[str, Any] = {"plain": plain, "title": title, "one_line": one_line, "address": address}
    words |= {"instant": instant, "left": left, "span": duration}
    templates.filters.update(words | {"money": partial(money, grouping=","), "percent": percent, "number": number})
    templates.globals["ticket_link"] = ticket_link
    return templates
