"""CSV: for people, safe to open in Excel, as no cell is run as a formula; and plain, for programs."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import IO, Any

from amazon_support.outputs.items import one_line

# A cell that begins so is run as a formula by Excel and its like, the wide forms too; source: OWASP, CSV Injection.
FORMULA = re.compile(r"^[=+\-@\t\r\n＝＋－＠]")


def save_csv(target: IO[bytes], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Writes the rows below their names, safe to open, in UTF-8 with mark, so that Excel reads it; instants in UTC."""
    _write(target, "utf-8-sig", names, rows, _safe)


def csv_file(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """What save_csv writes."""
    target = io.BytesIO()
    save_csv(target, names, rows)
    return target.getvalue()


def plain_csv_file(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """The rows below their names, text as it is (RFC 4180, UTF-8), instants in UTC as in ISO 8601.

    For programs: what Amazon or a buyer named like a formula is one to Excel.
    """
    target = io.BytesIO()
    _write(target, "utf-8", names, rows, _plain)
    return target.getvalue()


def _write(
    target: IO[bytes],
    encoding: str,
    names: Sequence[str],
    rows: Iterable[Sequence[Any]],
    cell: Callable[[Any], Any],
) -> None:
    text = io.TextIOWrapper(target, encoding, newline="")
    lines = csv.writer(text)
    lines.writerow(names)
    lines.writerows(map(cell, row) for row in rows)
    text.detach()


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
