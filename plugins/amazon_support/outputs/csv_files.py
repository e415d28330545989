"""CSV that is safe to open: no cell is run as a formula."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from amazon_support.outputs.items import one_line

# A cell that begins so is run as a formula by Excel and its like, the wide forms too; source: OWASP, CSV Injection.
FORMULA = re.compile(r"^[=+\-@\t\r\n＝＋－＠]")


def csv_file(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """The rows below their names, in UTF-8 with mark, so that Excel reads it; instants in UTC."""
    written = io.StringIO()
    lines = csv.writer(written)
    lines.writerow(names)
    lines.writerows(map(_cell, row) for row in rows)
    return written.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        value = ", ".join(value)
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if not isinstance(value, str):
        return value
    line = one_line(value)
    return f"'{line}" if FORMULA.match(value) or FORMULA.match(line) else line
