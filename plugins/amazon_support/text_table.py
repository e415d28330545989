"""Tables on a terminal."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime


def table(heading: Sequence[str] | None, rows: Iterable[Sequence[str]], right: Iterable[int] = ()) -> str:
    """Lined-up columns two spaces apart; `right`: numbers of the columns, from 0 on, that end at the same place."""
    lines, ends = [*([heading] if heading else []), *rows], set(right)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place in ends else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def minute(moment: datetime | None) -> str:
    """The instant in UTC, to the minute; nothing for None."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}" if moment else ""
