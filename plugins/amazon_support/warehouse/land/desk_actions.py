"""What agents did in their desks: landed as an export says it, published as ticket events and review requests, words
apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from amazon_support.settings import Settings
from amazon_support.warehouse.land.batches import (
    BadLine,
    as_json,
    claim,
    clean,
    copy_rows,
    mark_published,
    new_batch,
    run_steps,
    set_aside_lines,
)
from amazon_support.warehouse.land.mail import PUBLISH_MAIL_LOCK

DESK_ACTION = "desk_action"
UNREADABLE = "line_readable"  # the rule that a line breaks which could not be landed
NOWHERE = "-"  # in keys of tickets whose marketplace is not known

# Which ticket a row is about, then what follows from it.
PUBLISH_DESK = ("desk_tickets", "desk_events", "desk_unknown_tickets", "desk_review_requests")
COLUMNS = (
    "row_identity", "kind", "status", "agent", "stakeholder", "actor", "occurred_at", "ticket_id", "order_id",
    "marketplace", "case_id", "buyer_ref",
)  # fmt: skip


@dataclass(frozen=True)
class DeskActionRow:
    """One row of an export, understood.

    Attributes:
        line_number: as of raw.desk_action.
        row_identity: what makes it the same action in another file.
        kind: of ticket event, or review_request; None where the mapping does not explain the row.
        status: the desk's word, where a status was set. agent: who was assigned. stakeholder: for whom is waited.
        occurred_at: aware UTC; None where the time cannot be read.
        ticket_id, order_id, case_id, buyer_ref: which ticket, as far as the row says.
        text: words, "" where there are none. received: the row as it came.
    """

    line_number: int
    row_identity: str
    kind: str | None
    status: str | None
    agent: str | None
    stakeholder: str | None
    actor: str | None
    occurred_at: datetime | None
    ticket_id: str | None
    order_id: str | None
    marketplace: str | None
    case_id: str | None
    buyer_ref: str | None
    text: str
    received: dict[str, Any]


def land_desk_actions(
    connection: Connection,
    *,
    account: str,
    desk: str,
    read_at: datetime,
    rows: Sequence[DeskActionRow],
    bad_lines: Sequence[BadLine] = (),
    heading: str | None = None,
) -> int:
    """Writes one export as one batch, words and the rows as received apart from the rest. Bad lines are set aside.

    Args:
        read_at: aware UTC; nothing in the file was done later.
        heading: the file's line of headings, kept where lines are bad; None where it has none.

    Returns: the batch's id.
    """
    batch_id = new_batch(connection, DESK_ACTION, account, desk, len(rows))
    copy_rows(
        connection,
        f"raw.desk_action (batch_id, account, line_number, desk, read_at, {', '.join(COLUMNS)})",
        (
            (batch_id, account, row.line_number, desk, read_at, *(clean(getattr(row, name)) for name in COLUMNS))
            for row in rows
        ),
    )
    copy_rows(
        connection,
        "pii.desk_action (batch_id, account, line_number, body, received)",
        ((batch_id, account, row.line_number, clean(row.text) or None, as_json(clean(row.received))) for row in rows),
    )
    if bad_lines:
        set_aside_lines(connection, batch_id, UNREADABLE, bad_lines, heading)
    return batch_id


def publish_desk_actions(connection: Connection, settings: Settings) -> int:
    """Turns every checked batch of desks' actions into ticket events and review requests, in the caller's transaction.
    What is known already changes nothing; an action on a ticket that is not there is set aside. A review request needs
    no ticket.

    Returns: how many batches were published.
    """
    # Which ticket a row is about depends on mail: it must not change meanwhile.
    connection.exec_driver_sql(f"select pg_advisory_xact_lock({PUBLISH_MAIL_LOCK})")
    batch_ids, rows = claim(connection, DESK_ACTION)
    if batch_ids:
        places = [*settings.by_country, NOWHERE]
        run_steps(connection, PUBLISH_DESK, {"batch_ids": batch_ids, "places": places}, rows)
        mark_published(connection, batch_ids)
    return len(batch_ids)
