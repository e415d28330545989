"""Reads the seller feedback report: tab-separated, in the language, date format and encoding of its site."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from datetime import date

from amazon_support.settings.report_formats import FeedbackFormat, plain
from amazon_support.sources.errors import BadDocument
from amazon_support.warehouse.land.batches import BadLine
from amazon_support.warehouse.land.feedback import FeedbackRow

ORDER_ID = re.compile(r"\d{3}-\d{7}-\d{7}|[DS]01-\S+")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
STARS = {"1", "2", "3", "4", "5"}
# Spaces, and marks that tell the direction of Arabic and Hebrew.
AROUND = " \xa0\ufeff\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
# Six columns are these, whatever their headings say. Source: readers of the report that know them by place alone.
USUAL_ORDER = ("rated_on", "rating", "comments", "response", "order_id", "rater_email")
NEEDED = ("rated_on", "rating", "order_id")
ENOUGH_TO_JUDGE = 10  # lines; of so many, not more than half may be bad


@dataclass(frozen=True)
class Parsed:
    """What a feedback report says.

    Attributes:
        bad_lines: those that could not be read; blank lines are no lines.
        unknown_headings: those that the settings lack, whether or not their column was recognised by its content.
        heading: its first line.
    """

    rows: list[FeedbackRow]
    bad_lines: list[BadLine]
    unknown_headings: tuple[str, ...]
    heading: str = attribute(default="", compare=False)


@dataclass(frozen=True)
class _Line:
    number: int
    content: str
    cells: list[str]


def parse_feedback(text: str, marketplace: str, formats: FeedbackFormat) -> Parsed:
    """Reads one site's report. Quotes are literal; a document of a heading alone says that there is no feedback.

    Args:
        text: the decoded document.
        marketplace: country, such as DE.

    Raises: BadDocument if it is empty, an error page, has not the report's columns, or is mostly unreadable.
    """
    heading, *body = _lines(text)
    columns, unknown = _columns(heading, body, formats, marketplace)
    order = formats.date_order(marketplace)
    rows, bad_lines = [], []
    for line in body:
        try:
            rows.append(_row(line, len(heading.cells), columns, order))
        except ValueError as problem:
            bad_lines.append(BadLine(line.number, str(problem), line.content))
    if len(body) >= ENOUGH_TO_JUDGE and len(bad_lines) * 2 > len(body):
        reason, _ = Counter(line.reason for line in bad_lines).most_common(1)[0]
        raise BadDocument(f"{len(bad_lines)} of its {len(body)} lines are unreadable, most of them so: {reason}")
    return Parsed(rows, bad_lines, unknown, heading.content)


def read_date(value: str, order: str) -> date:
    """A day as the site writes it.

    Args:
        order: of day, month and year, such as "d.m.y"; a year in front is a year whatever the order. Two digits of a
            year are of this century.

    Raises: ValueError for anything else.
    """
    parts = re.split(r"[./-]", value)
    if len(parts) != 3 or not all(part.isdecimal() and len(part) in (1, 2, 4) for part in parts):
        raise ValueError("not a date")
    if len(parts[0]) == 4:
        order = "y-m-d"
    named = dict(zip(order[::2], map(int, parts), strict=True))
    return date(named["y"] + (2000 if named["y"] < 100 else 0), named["m"], named["d"])


# ---------- lines


def _lines(text: str) -> list[_Line]:
    text = text.removeprefix("\ufeff").replace("\0", "")
    if not text.strip():
        raise BadDocument("it is empty")
    if text.lstrip()[0] in "<{[":
        raise BadDocument("it is an error page, not a report")
    # Not splitlines: it takes characters of comments for line ends.
    numbered = enumerate((line.rstrip("\r") for line in text.split("\n")), start=1)
    return [_Line(number, line, _cells(line)) for number, line in numbered if line.strip()]


def _cells(line: str) -> list[str]:
    return [cell.strip(AROUND) for cell in line.split("\t")]


def _row(line: _Line, width: int, columns: dict[str, int], order: str) -> FeedbackRow:
    """Raises: ValueError saying what is wrong, without personal data."""
    cells = line.cells
    if len(cells) < width or any(cells[width:]):
        raise ValueError(f"{len(cells)} fields instead of {width}")
    values = {field: cells[position] for field, position in columns.items()}
    try:
        rated_on = read_date(values["rated_on"], order)
    except ValueError:
        raise ValueError(f"date: not written {order}, or no such day") from None
    if values["rating"] not in STARS:
        raise ValueError("rating: not 1 to 5")
    if not ORDER_ID.fullmatch(values["order_id"]):
        raise ValueError("order id: not of Amazon's shape")
    return FeedbackRow(
        line_number=line.number,
        rated_on=rated_on,
        rating=int(values["rating"]),
        comments=values.get("comments", ""),
        response=values.get("response", ""),
        order_id=values["order_id"],
        rater_email=values.get("rater_email", ""),
    )


# ---------- columns


def _columns(
    heading: _Line, body: Sequence[_Line], formats: FeedbackFormat, marketplace: str
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Position of each field's column, and the unknown headings.

    Raises: BadDocument if one that is needed is not there, or not more than half of the usual ones.
    """
    # Headings are told to people, and a buyer's words are none.
    if any(ORDER_ID.fullmatch(cell) or EMAIL.fullmatch(cell) for cell in heading.cells):
        raise BadDocument("it has no line of headings")
    columns: dict[str, int] = {}
    unknown: dict[int, str] = {}
    for position, name in enumerate(heading.cells):
        field = formats.fields_by_heading.get(plain(name))
        if field is not None and field not in columns:
            columns[field] = position
        elif plain(name) not in formats.ignored_headings:
            unknown[position] = name
    if unknown and (columns or body):
        sample = [line.cells for line in body if len(line.cells) >= len(heading.cells)]
        free = list(unknown)
        _claim_by_content(columns, free, sample, formats.date_order(marketplace))
        _claim_texts(columns, free, sample, len(heading.cells))
    missing = [getattr(formats.headings, field)[0] for field in NEEDED if field not in columns]
    if missing:
        raise BadDocument(f"it has no column that could be: {', '.join(missing)}")
    if len(columns) * 2 <= len(USUAL_ORDER):
        raise BadDocument(f"it has only {len(columns)} of its {len(USUAL_ORDER)} usual columns")
    return columns, tuple(name for name in unknown.values() if name)


def _claim_by_content(columns: dict[str, int], free: list[int], sample: Sequence[list[str]], order: str) -> None:
    """Gives fields of a shape of their own the first free column in which most values have it."""
    shapes: dict[str, Callable[[str], object]] = {
        "order_id": ORDER_ID.fullmatch,
        "rating": STARS.__contains__,
        "rater_email": EMAIL.fullmatch,
        "rated_on": lambda value: _is_date(value, order),
    }
    for field, fits in shapes.items():
        if field not in columns:
            _claim(columns, free, field, (p for p in free if _mostly(fits, sample, p)))


def _claim_texts(columns: dict[str, int], free: list[int], sample: Sequence[list[str]], width: int) -> None:
    """Gives what is left by its place if the columns are the usual ones. Else the longest text before the response is
    the comments, and what follows the comments the response.
    """
    places = dict(zip(USUAL_ORDER, range(width), strict=False))
    if width == len(USUAL_ORDER) and all(columns[field] == places[field] for field in columns):
        for field in USUAL_ORDER:
            if field not in columns:
                _claim(columns, free, field, [places[field]])
        return
    end = columns.get("order_id", width)
    if "comments" not in columns:
        before = [position for position in free if position < columns.get("response", end)]
        lengths = {position: sum(len(cells[position]) for cells in sample) for position in before}
        _claim(columns, free, "comments", sorted(before, key=lambda position: -lengths[position]))
    if "response" not in columns:
        _claim(columns, free, "response", [p for p in free if columns.get("comments", end) < p < end])


def _claim(columns: dict[str, int], free: list[int], field: str, candidates: Iterable[int]) -> None:
    for position in candidates:
        columns[field] = position
        free.remove(position)
        return


def _mostly(fits: Callable[[str], object], sample: Sequence[list[str]], position: int) -> bool:
    values = [cells[position] for cells in sample if cells[position]]
    return sum(bool(fits(value)) for value in values) * 2 > len(values)


def _is_date(value: str, order: str) -> bool:
    try:
        read_date(value, order)
    except ValueError:
        return False
    return True
