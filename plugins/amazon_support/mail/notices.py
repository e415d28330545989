"""What a notice lists: products, amounts, reason, comment and the like, by its labels, tables and order lines."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from amazon_support.mail import money
from amazon_support.mail.extract import ORDER_ID
from amazon_support.mail.facts import Product
from amazon_support.mail.markup import Rendered, Table
from amazon_support.mail.money import Money
from amazon_support.mail.parse import safe_line
from amazon_support.mail.phrases import label_key
from amazon_support.mail.rules import rules
from amazon_support.settings import Marketplace

MOST_PRODUCTS = 50
LONGEST_COMMENT = 5000
LONGEST_TEXT = 50_000
# A label and its value: on one line, in two cells of a row, or the value on the next line.
LABELLED = re.compile(r"^[ \t>•*·]*([^\n\t:：]{2,60}?)[ \t]*(?:[:：]|\t)[ \t]*(?![\t/])([^\t\n]*)$", re.MULTILINE)
ASIN = re.compile(r"(?<![A-Z0-9])B0[A-Z0-9]{8}(?![A-Z0-9])")
ASIN_LIKE = re.compile(r"(?:B0[A-Z0-9]{8}|[0-9]{9}[0-9X])")
SKU_LIKE = re.compile(r"(?=\S*[0-9_-])(?=\S*[A-Za-z])[A-Za-z0-9][\w.+/-]{1,39}", re.ASCII)
QUANTITY = re.compile(r"(?<![\w.,])([0-9]{1,5})(?![\w.,]*[0-9])")
TRACKING = re.compile(r"(?=(?:[A-Z -]*[0-9]){6})[A-Z0-9][A-Z0-9 -]{6,40}[A-Z0-9]")
BARE_AMOUNT = re.compile(r"[0-9.,]{1,12}[.,][0-9]{2}")
# 1 of TITLE [ASIN: B01FCAWEYM], 1 / TITLE [ASIN: …]
ORDER_LINE = re.compile(
    r"(?:^|[:：])[ \t]*([0-9]{1,4})[ \t]*(?:/|[^\W\d_]{1,5}[ \t])[ \t]*([^\n]{1,400}?)[ \t]*"
    r"\[ASIN[:：]?[ \t]*([A-Z0-9]{10})\]",
    re.MULTILINE,
)
ITEM_FIELDS = ("asin", "sku", "title", "quantity", "reason", "comment", "amount")
FREE_TEXT = ("title", "reason", "comment")
NAMES_A_PRODUCT = frozenset({"asin", "sku", "title"})

Row = dict[str, str]


@dataclass(frozen=True)
class Listed:
    """What a notice lists.

    Attributes:
        values: by field of the labels, in order. items: one row a product, by field.
    """

    values: dict[str, list[str]] = field(default_factory=dict)
    items: tuple[Row, ...] = ()

    def first(self, name: str) -> str | None:
        return next((value for value in self.values.get(name, ()) if value), None)


def read_listed(bodies: Sequence[Rendered]) -> Listed:
    """What the first body that lists anything lists; HTML comes first. A table tells more than labels."""
    for body in bodies:
        labelled = list(_labelled(body.text[:LONGEST_TEXT]))
        values: dict[str, list[str]] = {}
        for name, value in labelled:
            values.setdefault(name, []).append(value)
        items = [row for table in body.tables for row in _items(table)] or list(_blocks(labelled))
        totals = [value for table in body.tables for value in _totals(table)]
        if totals:
            values.setdefault("total", []).extend(totals)
        if items or values:
            return Listed(values, tuple(items[:MOST_PRODUCTS]))
    return Listed()


def order_lines(text: str) -> tuple[Product, ...]:
    """Products of the lines that Amazon writes above the frame of a message."""
    return tuple(
        Product(asin=asin, title=safe_line(title, 500), quantity=int(quantity))
        for quantity, title, asin in ORDER_LINE.findall(text[:LONGEST_TEXT])[:MOST_PRODUCTS]
    )


def products(listed: Listed, texts: Iterable[str], site: Marketplace | None) -> tuple[Product, ...]:
    """The products that are listed; else those whose ASINs the texts name."""
    found = tuple(_product(row, site) for row in listed.items if NAMES_A_PRODUCT & row.keys())
    if found:
        return found
    asins = dict.fromkeys(asin for text in texts for asin in ASIN.findall(text[:LONGEST_TEXT]))
    return tuple(Product(asin=asin) for asin in list(asins)[:MOST_PRODUCTS])


def amount(listed: Listed, text: str, site: Marketplace | None) -> tuple[Money | None, str | None]:
    """(how much, signal): the total, the one labelled amount, the sum of those in the table, or of those with a
    label; last, the only amount in the text."""
    labelled, totals = _read(listed.values.get("amount", ()), site), _read(listed.values.get("total", ()), site)
    rows = _read((row["amount"] for row in listed.items if "amount" in row), site)
    if totals:
        return totals[-1], "amount:total"
    if len(labelled) == 1:
        return labelled[0], "amount:label"
    if several := rows or labelled:
        found = money.total(several)
        return found, f"amount:added:{len(several)}" if found else "amount:currencies"
    alone = set(money.amounts(text[:LONGEST_TEXT], site))
    return (next(iter(alone)), "amount:text") if len(alone) == 1 else (None, None)


def shared(listed: Listed, found: Iterable[Product], name: str) -> str | None:
    """The reason or comment that stands behind a label, or that all products have; None where they differ."""
    values = set(listed.values.get(name, ())) - {""}
    of_products = {value for product in found if (value := getattr(product, name))}
    every = of_products or values
    return _text(next(iter(every))) if len(every) == 1 else None


def tracking(listed: Listed) -> tuple[str | None, str | None]:
    """(number, carrier) of a return label."""
    value = listed.first("tracking") or ""
    number = TRACKING.search(value)
    carrier = listed.first("carrier")
    return number.group().strip() if number else None, safe_line(carrier, 100) if carrier else None


# ---------- labels


def _labelled(text: str) -> Iterator[tuple[str, str]]:
    """(field, value) of each known label, in order; a value that is missing stands on the next line, and a comment
    goes on to the next empty line."""
    known = rules().label_fields
    lines = text.split("\n")
    found = [_label(line, known) for line in lines]
    for number, each in enumerate(found):
        if each is None:
            continue
        name, value = each
        following = number + 1
        if not value and following < len(lines) and _is_value(lines[following], found[following]):
            value, following = lines[following].strip(), following + 1
        if name == "comment":
            while value and following < len(lines) and _is_value(lines[following], found[following]):
                value, following = f"{value}\n{lines[following].strip()}", following + 1
        if label_key(value) not in known:  # else it is a table's line of headings
            yield name, value[:LONGEST_COMMENT]


def _label(line: str, known: dict[str, str]) -> tuple[str, str] | None:
    match = LABELLED.match(line)
    name = known.get(label_key(match[1])) if match else None
    return (name, match[2].strip()) if match and name else None


def _is_value(line: str, label: tuple[str, str] | None) -> bool:
    return bool(line.strip()) and label is None and "\t" not in line


def _blocks(labelled: Iterable[tuple[str, str]]) -> Iterator[Row]:
    """Labelled lines as products: a label that comes again begins the next one."""
    row: Row = {}
    for name, value in labelled:
        if name not in ITEM_FIELDS or not value:
            continue
        if name in row:
            yield row
            row = {}
        row[name] = value
    if row:
        yield row


# ---------- tables


def _items(table: Table) -> Iterator[Row]:
    """The rows of a table of products, by field; nothing of any other table."""
    table = tuple(cells for cells in table if sum(map(bool, cells)) > 1)  # not those of a title or a space
    if not table or _is_list_of_labels(table):
        return
    headings = [_heading(cell) for cell in table[0]]
    has_headings = any(headings) or not any(map(_is_data, table[0]))
    rows = table[1:] if has_headings else table
    names = _columns(headings if has_headings else [None] * len(table[0]), rows)
    if not NAMES_A_PRODUCT & set(names) or not rows:
        return
    for cells in rows:
        row = {name: cell for name, cell in zip(names, cells, strict=False) if name in ITEM_FIELDS and cell}
        if "asin" not in row and (written := ASIN.search("\t".join(cells))):
            row["asin"] = written.group()
        if NAMES_A_PRODUCT & row.keys() and not _is_total(cells):
            yield row


def _totals(table: Table) -> Iterator[str]:
    """The last cell of a row that begins with a word for the total, in a table of more than two columns."""
    for cells in table:
        if len(table[0]) > 2 and len(cells) > 1 and _is_total(cells):
            yield cells[-1]


def _is_total(cells: Sequence[str]) -> bool:
    first = next((cell for cell in cells if cell), "")
    return _heading(first) == "total" and any(c.isdigit() for c in cells[-1])


def _heading(cell: str) -> str | None:
    return rules().label_fields.get(label_key(cell))


def _is_list_of_labels(table: Table) -> bool:
    """Two columns, a label and its value in each row."""
    labels = sum(_heading(cells[0]) is not None for cells in table if cells)
    return len(table[0]) == 2 and _heading(table[0][1]) is None and 2 * labels >= len(table)


def _is_data(cell: str) -> bool:
    return any(c.isdigit() for c in cell)


def _columns(names: list[str | None], rows: Sequence[Sequence[str]]) -> list[str]:
    """A field for each column: what its heading says, else what stands in it."""
    for column, name in enumerate(names):
        if name is None:
            cells = [cells[column] for cells in rows if column < len(cells) and cells[column]]
            names[column] = _by_content(cells, {each for each in names if each})
    return [name or "other" for name in names]


def _by_content(cells: list[str], taken: set[str]) -> str | None:
    """What the cells of a column without a known heading hold; free text by the order in which Amazon has it."""
    for name, is_such in CONTENTS:
        if cells and all(map(is_such, cells)):
            return None if name in taken else name
    is_text = any(len(cell) > 3 and any(map(str.isalpha, cell)) for cell in cells)
    return next((name for name in FREE_TEXT if name not in taken), None) if is_text else None


CONTENTS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("asin", lambda cell: bool(ASIN_LIKE.fullmatch(cell))),
    ("order", lambda cell: bool(ORDER_ID.fullmatch(cell))),
    ("quantity", lambda cell: bool(re.fullmatch(r"[0-9]{1,3}", cell))),
    (
        "amount",
        lambda cell: bool(BARE_AMOUNT.fullmatch(cell)) or (len(cell) < 30 and len(money.amounts(cell, None)) == 1),
    ),
    ("sku", lambda cell: bool(SKU_LIKE.fullmatch(cell))),
)


# ---------- values


def _product(row: Row, site: Marketplace | None) -> Product:
    asin = ASIN_LIKE.search(row.get("asin", ""))
    quantity = QUANTITY.search(unicodedata.normalize("NFKC", row.get("quantity", "")))
    paid = money.amount(row["amount"], site) if "amount" in row else None
    return Product(
        asin=asin.group() if asin else None,
        sku=safe_line(row.get("sku", ""), 100) or None,
        title=safe_line(row.get("title", ""), 500) or None,
        quantity=int(quantity[1]) if quantity else None,
        reason=_text(row.get("reason")),
        comment=_text(row.get("comment")),
        amount=paid.figure if paid else None,
    )


def _text(value: str | None) -> str | None:
    """Words of a person or a list, line by line, without invisible characters."""
    lines = [safe_line(line, LONGEST_COMMENT) for line in (value or "").split("\n")]
    return "\n".join(line for line in lines if line)[:LONGEST_COMMENT] or None


def _read(values: Iterable[str], site: Marketplace | None) -> list[Money]:
    return [found for value in values if (found := money.amount(value, site))]
