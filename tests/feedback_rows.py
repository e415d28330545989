"""Builders for feedback reports: lines of invented buyers, and what lands of them."""

from datetime import date, datetime, timedelta

from landing import NOON, ORDER, let_pass
from sqlalchemy import Connection

from amazon_support import settings
from amazon_support.warehouse import land
from amazon_support.warehouse.land import FeedbackRow
from amazon_support.warehouse.land.batches import BadLine
from amazon_support.window import Window

SETTINGS = settings.load()
DAY = timedelta(days=1)
EMAIL = "rater77@marketplace.amazon.de"
RATED_ON = date(2026, 3, 1)


def line(order_id: str = ORDER, rating: int = 1, comments: str = "Kam zu spät.", **changes: object) -> FeedbackRow:
    values: dict[str, object] = {
        "line_number": 2,
        "rated_on": RATED_ON,
        "rating": rating,
        "comments": comments,
        "response": "",
        "order_id": order_id,
        "rater_email": EMAIL,
    }
    return FeedbackRow(**values | changes)  # type: ignore[arg-type]


def land_report(
    connection: Connection,
    *rows: FeedbackRow,
    seen_at: datetime = NOON,
    bad_lines: tuple[BadLine, ...] = (),
    account: str = "main",
    marketplace: str = "DE",
    end: datetime | None = None,
) -> int:
    """A report ordered at `seen_at` for the 90 days before `end` (if it is not given, the same)."""
    end = end or seen_at
    return land.land_feedback(
        connection,
        account=account,
        marketplace=marketplace,
        window=Window(end - 90 * DAY, end, live=True),
        seen_at=seen_at,
        rows=rows,
        bad_lines=bad_lines,
    )


def publish(connection: Connection) -> int:
    let_pass(connection)
    return land.publish_feedback(connection, SETTINGS)


def report(connection: Connection, *rows: FeedbackRow, days: float = 0, **more: object) -> None:
    """A report so many days after NOON, landed and published."""
    land_report(connection, *rows, seen_at=NOON + days * DAY, **more)  # type: ignore[arg-type]
    publish(connection)
