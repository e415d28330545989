"""How pages say times, spans, amounts and the names of things."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

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
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
        utc.isoformat(), f"{utc:%Y-%m-%d %H:%M:%S}", words
    )


def left(due_at: datetime | None, as_of: datetime) -> Markup:
    """Time left until due, or how late it is; counted on by the page itself."""
    if due_at is None:
        return Markup("")
    seconds = int((due_at - as_of).total_seconds())
    words = f"{duration(abs(seconds))} {'left' if seconds >= 0 else 'late'}"
    urgency = "late" if seconds < 0 else "soon" if seconds <= 4 * 3600 else "calm"
    return Markup('<time class="left {}" data-due datetime="{}" title="due {} UTC">{}</time>').format(
        urgency, due_at.astimezone(UTC).isoformat(), f"{due_at.astimezone(UTC):%Y-%m-%d %H:%M}", words
    )


def number(value: Decimal | float | None) -> str:
    """Without the zeros behind the point that nobody needs."""
    return "–" if value is None else f"{float(value):,.2f}".rstrip("0").rstrip(".")


def percent(share: Decimal | float | None) -> str:
    """A share of 0 to 1; a dash where nothing was counted."""
    return "–" if share is None else f"{float(share):.1%}"


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
    return templates
