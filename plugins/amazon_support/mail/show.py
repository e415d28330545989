"""The facts of a mail as a person reads them in a terminal."""

import textwrap
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from amazon_support.mail.facts import Attachment, Link, MailFacts, Product

WIDTH = 118


def render(facts: MailFacts) -> str:
    """The facts as an aligned table, one a line, what the mail does not have in one line below, the text last."""
    values = {name: getattr(facts, name) for name in type(facts).model_fields if name != "text"}
    rows = {name: list(_shown(name, value)) for name, value in values.items()}
    missing = [name for name, lines in rows.items() if not lines]
    width = max(map(len, rows))
    lines = [
        f"{name if number == 0 else '':<{width}}  {line}"
        for name, shown in rows.items()
        for number, line in enumerate(shown)
    ]
    lines += textwrap.wrap(
        ", ".join(missing), WIDTH, initial_indent=f"{'(nothing of)':<{width}}  ", subsequent_indent=" " * (width + 2)
    )
    return "\n".join([*lines, "", facts.text])


def _shown(name: str, value: Any) -> Iterator[str]:
    """The lines of one value; none where there is nothing to say."""
    if name == "confidence":
        yield f"{value:.0%}"
    elif isinstance(value, bool):
        yield "yes" if value else "no"
    elif isinstance(value, datetime):
        yield f"{value:%Y-%m-%d %H:%M:%S} UTC"
    elif isinstance(value, tuple):
        yield from _several(value)
    elif value not in (None, ""):
        yield from str(value).split("\n")


def _several(values: tuple[Any, ...]) -> Iterator[str]:
    if values and all(isinstance(value, str) for value in values):
        yield from textwrap.wrap(", ".join(values), WIDTH, break_long_words=False, break_on_hyphens=False)
        return
    for value in values:
        if isinstance(value, Product):
            yield from _product(value)
        elif isinstance(value, Link):
            yield f"{value.purpose}: {value.url}"
        elif isinstance(value, Attachment):
            yield f"{value.name} ({value.type}, {value.size:,} bytes)"


def _product(product: Product) -> Iterator[str]:
    count = f"{product.quantity} x" if product.quantity is not None else ""
    names = [product.title, product.asin and f"ASIN {product.asin}", product.sku and f"SKU {product.sku}"]
    known = ", ".join(name for name in names if name)
    yield f"{count} {known}".strip()
    for name in ("reason", "comment", "amount"):
        if value := getattr(product, name):
            yield f"    {name}: {' / '.join(value.splitlines())}"
