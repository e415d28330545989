"""CSV: for people, safe to open in Excel, as no cell is run as a formula; and plain, for programs."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from amazon_support.outputs.items import one_line

# A cell that begins so is run as a formula by Excel and its like, the wide forms too; source: OWASP, CSV Injection.
FORMULA = re.compile(r"^[=+\-@\t\r\n＝＋－＠]")


def csv_file(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """The rows below their names, safe to open, in UTF-8 with mark, so that Excel reads it; instants in UTC."""
    return _written(names, rows, _safe).encode("utf-8-sig")


def plain_csv_file(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """The rows below their names, text as it is (RFC 4180, UTF-8), instants in UTC as in ISO 8601.

    For programs: what Amazon or a buyer named like a formula is one to Excel.
    """
    return _written(names, rows, _plain).encode()


def _written(names: Sequence[str], rows: Iterable[Sequence[Any]], cell: Callable[[Any], Any]) -> str:
    written = io.StringIO()
    lines = csv.writer(written)
    lines.writerow(names)
    lines.writerows(map(cell, row) for row in rows)
    return written.getvalue()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return ", ".join(value) if isinstance(value, list) else value


def _safe(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    value = _plain(value)
    if not isinstance(value, str):
        return value
    line = one_line(value)
    return f"'{line}" if FORMULA.match(value) or FORMULA.match(line) else line
