"""What landing and publishing have in common: a batch, its rows, and the steps that turn it into facts."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from amazon_support.warehouse.steps import run_step
from amazon_support.window import Window

LARGE_IMPORT = 2_000  # rows, from which on the planner's statistics are brought up to date on the way


# ---------- landing


def new_batch(
    connection: Connection,
    dataset: str,
    account: str,
    scope: str,
    row_count: int,
    window: Window | None = None,
) -> int:
    batch_id: int = run_step(
        connection,
        "land/new_batch.sql",
        {
            "dataset": dataset,
            "account": account,
            "scope": scope,
            "window_start": window.start if window else None,
            "window_end": window.end if window else None,
            "row_count": row_count,
        },
    ).scalar_one()
    return batch_id


def copy_rows(connection: Connection, target: str, rows: Iterable[tuple[Any, ...]]) -> None:
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"copy {target} from stdin") as copy:
        for row in rows:
            copy.write_row(row)


# ---------- publishing


def claim(connection: Connection, dataset: str) -> tuple[list[int], int]:
    batches = run_step(connection, "land/batches_to_publish.sql", {"dataset": dataset}).all()
    return [batch.batch_id for batch in batches], sum(batch.row_count for batch in batches)


def run_steps(connection: Connection, steps: Iterable[str], parameters: dict[str, Any], rows: int) -> None:
    for step in steps:
        if step != "statistics":
            run_step(connection, f"land/{step}.sql", parameters)
        elif rows >= LARGE_IMPORT:
            run_step(connection, f"land/{step}.sql")


def mark_published(connection: Connection, batch_ids: list[int]) -> None:
    # Book-keeping: the wall clock, not the time the answers are true for.
    run_step(connection, "land/batches_published.sql", {"batch_ids": batch_ids, "published_at": datetime.now(UTC)})


# ---------- JSON


def clean(value: Any) -> Any:
    """The value without what PostgreSQL's jsonb refuses: NUL characters, halves of characters, NaN."""
    if isinstance(value, dict):
        return {clean(k): clean(v) for k, v in value.items()}
    if isinstance(value, list):
        return [clean(item) for item in value]
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


# ---------- rows that cannot be landed


@dataclass(frozen=True)
class BadLine:
    """A line of a document that could not be landed.

    Attributes:
        number: in the document, from 1 on; the heading is line 1.
        reason: without personal data, such as "quantity: not a whole number".
        content: the line as received; may hold personal data.
    """

    number: int
    reason: str
    content: str


def set_aside_lines(
    connection: Connection, batch_id: int, rule: str, lines: Sequence[BadLine], heading: str | None = None
) -> None:
    """Names the lines in ops.quarantine (row_key "line 17") and keeps their content in pii.quarantined_row.

    Args:
        heading: the document's first line, without which its lines cannot be read again; None where they can.
    """
    run_step(
        connection,
        "land/quarantine_lines.sql",
        {
            "batch_id": batch_id,
            "rule": rule,
            "set_aside_at": datetime.now(UTC),  # book-keeping: the wall clock
            "row_keys": [f"line {line.number}" for line in lines],
            "reasons": [line.reason for line in lines],
            "heading": heading and heading.replace("\0", ""),
            "contents": [line.content.replace("\0", "") for line in lines],
        },
    )
