"""Lands rows that were set aside once more, as a batch of their own, by the readers and rules of today.

From then on the batch goes the way of any other: it is checked, and what passes is published. What was received is
still there: of a row that was landed in raw and pii, of a line that could not be landed in pii.quarantined_row.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from sqlalchemy import Connection

from amazon_support.settings import Settings
from amazon_support.warehouse import land, run_step
from amazon_support.warehouse.land.batches import new_batch
from amazon_support.window import Window


class CannotRetry(Exception):
    """The rows cannot be landed again; the message says why and what to do."""


@dataclass(frozen=True)
class Aside:
    """Rows of one batch that were set aside.

    Attributes:
        row_keys: of all of them.
        lines: as received, by line number, of those that could not be landed; personal data.
        buyer_key: gives the secret for the keyed hash that tells buyers apart; asked only where it is needed.
    """

    batch_id: int
    account: str
    scope: str
    window_start: datetime | None
    window_end: datetime | None
    heading: str | None
    row_keys: list[str]
    lines: dict[int, str]
    settings: Settings
    buyer_key: Callable[[], str]

    @property
    def of_batch(self) -> dict[str, Any]:
        return {"batch_id": self.batch_id, "row_keys": self.row_keys}

    @property
    def window(self) -> Window:
        assert self.window_start is not None and self.window_end is not None
        return Window(self.window_start, self.window_end, live=False)

    def document(self) -> str:
        """The heading and the lines, each where it stood: a line keeps its number."""
        if self.heading is None:
            raise CannotRetry(
                f"Batch {self.batch_id}: its lines were kept without the heading, so nothing tells their columns. Pull "
                "the same window again, then discard them."
            )
        return "\n".join([self.heading, *(self.lines.get(n, "") for n in range(2, max(self.lines, default=1) + 1)), ""])


@dataclass(frozen=True)
class Again:
    """What was landed.

    Attributes:
        batch_id: None if nothing was left to land.
        rows: in the batch; None: as it says itself.
        row_keys: further rows that came along.
    """

    batch_id: int | None
    rows: int | None
    row_keys: frozenset[str] = frozenset()


def orders(connection: Connection, aside: Aside) -> Again:
    received = run_step(connection, "quality/received_orders.sql", aside.of_batch).all()
    if not received:
        return Again(None, 0)
    batch_id = land.land_orders(
        connection,
        account=aside.account,
        region=aside.scope,
        window=aside.window,
        orders=[row.payload for row in received],
    )
    return Again(batch_id, len(received))


def order_report(connection: Connection, aside: Aside) -> Again:
    """Lines, and with them the other lines of their orders."""
    if aside.lines:
        batch_id, rows = land.land_order_report(
            connection, account=aside.account, region=aside.scope, window=aside.window, document=_Text(aside.document())
        )
    else:
        batch_id, rows = new_batch(connection, "order_report", aside.account, aside.scope, 0, aside.window), 0
    retry = {**aside.of_batch, "retry_batch_id": batch_id}
    copied = frozenset(run_step(connection, "quality/retry_order_report.sql", retry).scalars())
    return Again(batch_id, rows + len(copied), copied)


def mail(connection: Connection, aside: Aside) -> Again:
    """As it was understood when it landed; to have it understood anew, run mail_reread."""
    batch_id = new_batch(connection, "mail", aside.account, aside.scope, 0)
    copied = run_step(connection, "quality/retry_mail.sql", {**aside.of_batch, "retry_batch_id": batch_id})
    return Again(batch_id, copied.rowcount)


def feedback(connection: Connection, aside: Aside) -> Again:
    from amazon_support.settings.report_formats import report_formats
    from amazon_support.sources.feedback_report import parse_feedback

    report = run_step(connection, "quality/feedback_report.sql", aside.of_batch).one()
    rows = [
        land.FeedbackRow(**row)
        for row in run_step(connection, "quality/received_feedback.sql", aside.of_batch).mappings()
    ]
    parsed = None
    if aside.lines:
        parsed = parse_feedback(aside.document(), report.marketplace, report_formats().seller_feedback)
        rows += parsed.rows
    batch_id = land.land_feedback(
        connection,
        account=aside.account,
        marketplace=report.marketplace,
        window=aside.window,
        seen_at=report.seen_at,
        rows=rows,
        bad_lines=parsed.bad_lines if parsed else (),
        heading=aside.heading,
    )
    run_step(connection, "quality/feedback_proves_little.sql", {"batch_id": batch_id})
    return Again(batch_id, len(rows))


def desk_action(connection: Connection, aside: Aside) -> Again:
    from amazon_support.sources.desk_files import Understanding, parse

    folder = next(
        (f for f in aside.settings.desk_files.folders if (f.account, f.desk) == (aside.account, aside.scope)), None
    )
    if folder is None:
        raise CannotRetry(
            f"Batch {aside.batch_id}: desk_files.yaml has no folder of account {aside.account}, desk {aside.scope} any "
            "more, so nothing says what its columns mean."
        )
    understand = Understanding(aside.settings, folder, aside.buyer_key())
    read_at = run_step(connection, "quality/desk_read_at.sql", aside.of_batch).scalar_one()
    received = run_step(connection, "quality/received_desk_actions.sql", aside.of_batch).all()
    understood = [understand(row.line_number, row.received) for row in received]
    rows = [row for row in understood if row is not None]
    bad_lines = []
    if aside.lines:
        document = aside.document() if aside.heading else "\n".join(aside.lines.values())
        parsed = parse(document.encode(), f"batch {aside.batch_id}", understand)
        rows, bad_lines = [*rows, *parsed.rows], parsed.bad_lines
    if not rows and not bad_lines:
        return Again(None, 0)
    batch_id = land.land_desk_actions(
        connection,
        account=aside.account,
        desk=aside.scope,
        read_at=read_at,
        rows=rows,
        bad_lines=bad_lines,
        heading=aside.heading,
    )
    return Again(batch_id, len(rows))


def account_health(connection: Connection, aside: Aside) -> Again:
    """The whole report: figures of one instant that are known already stay."""
    from amazon_support.sources.performance_report import parse_contact_response, parse_health

    received = run_step(connection, "quality/received_health.sql", aside.of_batch).one()
    where = {"account": aside.account, "region": received.region, "window": aside.window}
    if received.xml is None:
        health = parse_health(received.document)
        batch_id = land.land_account_health(connection, **where, parsed=health, document=received.document)
    else:
        responses = parse_contact_response(received.xml)
        batch_id = land.land_contact_response(connection, **where, responses=responses, xml=received.xml)
    return Again(batch_id, None)


LAND: dict[str, Callable[[Connection, Aside], Again]] = {
    "orders": orders,
    "order_report": order_report,
    "mail": mail,
    "feedback": feedback,
    "desk_action": desk_action,
    "account_health": account_health,
}


class _Text:
    """A text where a downloaded document is expected."""

    charset = "utf-8"

    def __init__(self, content: str) -> None:
        self._content = content.encode()

    def open_bytes(self) -> BinaryIO:
        return io.BytesIO(self._content)
