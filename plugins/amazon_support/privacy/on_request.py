"""What is held on one order, for the buyer who asks."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from amazon_support.privacy.removal import PrivacyError
from amazon_support.warehouse import run_step

# In the order of the answer; each is a file of include/sql/privacy, export_….sql.
PARTS = (
    "order",
    "items",
    "packages",
    "buyer",
    "feedback",
    "review_requests",
    "tickets",
    "mails",
    "notes",
    "messages",
    "removed",
    "seen_by",
)


def export(
    connection: Connection, account: str, order_id: str, *, visitor: str, at: datetime
) -> dict[str, list[dict[str, Any]]]:
    """Everything held on an order and on what was written about it, by part; that somebody saw it is on record.

    Args:
        visitor: who asks, for the access log. at: now, aware UTC.

    Raises: PrivacyError if nothing is known of the order.
    """
    asked = {"account": account, "order_id": order_id}
    told = {
        part: [dict(row) for row in run_step(connection, f"privacy/export_{part}.sql", asked).mappings()]
        for part in PARTS
    }
    if not any(told.values()):
        raise PrivacyError(f"Account {account} knows nothing of order {order_id}: check both.")
    viewed = {"accounts": [account], "subjects": [order_id], "visitor": visitor, "page": "export", "seen_at": at}
    run_step(connection, "web/note_views.sql", viewed)
    return told
