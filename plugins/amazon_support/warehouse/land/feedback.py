"""Seller feedback: landed as a report says it, published as what stands, what became of it, and ticket events."""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from amazon_support.settings import Settings
from amazon_support.warehouse.land.batches import (
    BadLine,
    claim,
    copy_rows,
    mark_published,
    new_batch,
    run_steps,
    set_aside_lines,
)
from amazon_support.warehouse.land.mail import PUBLISH_MAIL_LOCK
from amazon_support.warehouse.steps import run_step
from amazon_support.window import Window

FEEDBACK = "feedback"
UNREADABLE = "line_readable"  # the rule that a line breaks which could not be landed
ORDER_ID = re.compile(r"(?<![\d-])\d{3}-\d{7}-\d{7}(?![\d-])")

# What a report shows is compared with what is known, so each report is published upon the one before it.
PUBLISH_ROUND = ("feedback_shown", "feedback_changes", "feedback", "feedback_missing", "feedback_drop")
PUBLISH_FEEDBACK_LAST = ("feedback_pii", "feedback_tickets", "feedback_touched")


@dataclass(frozen=True)
class FeedbackRow:
    """One line of a feedback report.

    Attributes:
        line_number: in the document, from 1 on; the heading is line 1.
        rated_on: day of the marketplace's calendar.
        rating: stars, 1 to 5.
        comments, response, rater_email: as received, "" where there is none.
    """

    line_number: int
    rated_on: date
    rating: int
    comments: str
    response: str
    order_id: str
    rater_email: str


def land_feedback(
    connection: Connection,
    *,
    account: str,
    marketplace: str,
    window: Window,
    seen_at: datetime,
    rows: Sequence[FeedbackRow],
    bad_lines: Sequence[BadLine] = (),
    heading: str | None = None,
) -> int:
    """Writes one report of one marketplace as one batch, personal data apart from the rest. Bad lines are set aside.

    A report without a row is a batch too: it says that nothing stands in its span. Words that were removed, and have
    not been edited since, are left out.

    Args:
        marketplace: country, such as DE.
        window: the span that the report was ordered for.
        seen_at: aware UTC, when the report was ordered. It tells how things stood then, whatever its span.
        heading: the report's first line, kept where lines are bad.

    Returns: the batch's id.
    """
    batch_id = new_batch(connection, FEEDBACK, account, marketplace, len(rows), window)
    orders_of_bad_lines = [set(ORDER_ID.findall(line.content)) for line in bad_lines]
    spared = sorted(set().union(*orders_of_bad_lines))
    is_complete = all(len(found) == 1 for found in orders_of_bad_lines)
    copy_rows(
        connection,
        "raw.feedback_report (batch_id, account, marketplace, seen_at, spared_order_ids, is_complete)",
        [(batch_id, account, marketplace, seen_at, spared, is_complete)],
    )
    copy_rows(
        connection,
        "raw.feedback_received (batch_id, account, line_number, order_id, rated_on, rating, has_response, "
        "comments_key, response_key)",
        (
            (batch_id, account, row.line_number, row.order_id, row.rated_on, row.rating, bool(row.response))
            + (_digest(row.comments), _digest(row.response))
            for row in rows
        ),
    )
    removed = set(run_step(connection, "privacy/feedback_to_leave_out.sql", {"batch_id": batch_id}).scalars())
    copy_rows(
        connection,
        "pii.feedback_received (batch_id, account, line_number, comments, response, rater_email)",
        (
            (batch_id, account, row.line_number, row.comments, row.response, row.rater_email)
            for row in rows
            if row.line_number not in removed
        ),
    )
    if bad_lines:
        set_aside_lines(connection, batch_id, UNREADABLE, bad_lines, heading)
    return batch_id


def publish_feedback(connection: Connection, settings: Settings) -> int:
    """Turns every checked batch of feedback into facts, their history, ticket events and placeholders of orders not
    yet known, in the caller's transaction. A report never changes what a newer one has told.

    Returns: how many batches were published.
    """
    # Its notices and those of mail look for each other: at once they would both open a ticket.
    connection.exec_driver_sql(f"select pg_advisory_xact_lock({PUBLISH_MAIL_LOCK})")
    batch_ids, rows = claim(connection, FEEDBACK)
    if batch_ids:
        parameters = {
            "batch_ids": batch_ids,
            "regions": json.dumps({m.country: m.region for m in settings.marketplaces}),
            "zones": json.dumps({m.country: m.timezone for m in settings.marketplaces}),
        }
        run_steps(connection, ["feedback_placeholders"], parameters, rows)
        for round_ids in _rounds(connection, batch_ids):
            run_steps(connection, PUBLISH_ROUND, {**parameters, "batch_ids": round_ids}, rows)
            mark_published(connection, round_ids)
        run_steps(connection, PUBLISH_FEEDBACK_LAST, parameters, rows)
    return len(batch_ids)


def _rounds(connection: Connection, batch_ids: list[int]) -> Iterable[list[int]]:
    """The batches, the oldest report of each account and marketplace first."""
    rounds: dict[int, list[int]] = {}
    for batch in run_step(connection, "land/feedback_rounds.sql", {"batch_ids": batch_ids}):
        rounds.setdefault(batch.round, []).append(batch.batch_id)
    return rounds.values()


def _digest(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()[:16]
