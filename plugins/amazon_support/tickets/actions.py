"""What a person does to a ticket, as an event that is recorded once and folded at once."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from amazon_support.settings import Settings
from amazon_support.tickets.clocks import Promises
from amazon_support.tickets.fold import fold
from amazon_support.warehouse import run_step

Kind = Literal[
    "assign", "hold", "solve", "no_response_needed", "unread", "note", "change_type", "attach_order", "detach_order"
]
SOURCE = "page"
PATIENCE = 8_000  # milliseconds; a person waits so long for the hourly fold
REFUSALS = {
    "closed": "The ticket is closed: nothing can be changed. What the buyer writes next opens a follow-up ticket.",
    "fixed_type": "This type of ticket cannot be changed.",
    "unknown_type": "There is no such type.",
}


class Busy(Exception):
    """The tickets are being folded; nothing was recorded."""


@dataclass(frozen=True)
class Action:
    """One deed of one person.

    Attributes:
        identity: the same for a repeated click; a second one changes nothing. by: the person's name in Airflow.
        agent: who gets the ticket, of assign. stakeholder: for whom it waits, of hold. ticket_type: the new one, of
            change_type. order_id: of attach_order and detach_order. words: of note; personal data.
    """

    kind: Kind
    identity: str
    by: str
    agent: str | None = None
    stakeholder: str | None = None
    ticket_type: str | None = None
    order_id: str | None = None
    words: str | None = None


def act(connection: Connection, settings: Settings, ticket: dict[str, Any], action: Action, *, at: datetime) -> None:
    """Records the action and folds its ticket, in the caller's transaction: it shows as soon as that commits.

    Args:
        ticket: account, ticket_key and marketplace. at: when it happened, aware UTC.

    Raises: Busy if another fold takes longer than PATIENCE.
    """
    detail = {"agent": action.agent, "stakeholder": action.stakeholder}
    row = {
        "account": ticket["account"],
        "source": SOURCE,
        "source_id": action.identity,
        "ticket_key": ticket["ticket_key"],
        "marketplace": ticket["marketplace"],
        "kind": action.kind,
        "ticket_type": action.ticket_type,
        "occurred_at": at,
        "actor": action.by,
        "order_id": action.order_id,
        "detail": json.dumps({name: value for name, value in detail.items() if value}),
        "words": action.words,
    }
    try:
        run_step(connection, "tickets/act_wait.sql", {"milliseconds": str(PATIENCE)})
        if not run_step(connection, "tickets/act.sql", row).all():
            return
        if action.kind == "attach_order" and ticket["marketplace"] in settings.by_country:
            region = settings.by_country[ticket["marketplace"]].region
            named = ("account", "order_id", "marketplace")
            run_step(connection, "tickets/act_order.sql", {name: row[name] for name in named} | {"region": region})
        fold(connection, settings.policy, Promises.of(settings))
    except OperationalError as error:
        if isinstance(error.orig, LockNotAvailable):
            raise Busy(
                "The hourly job is computing the tickets. Nothing was changed; try again in a minute."
            ) from error
        raise


def refusal(connection: Connection, account: str, identity: str) -> str | None:
    """Why that action has no effect, in a sentence; None if it has one."""
    key = {"account": account, "source": SOURCE, "source_id": identity}
    reason = run_step(connection, "tickets/act_refused.sql", key).scalar()
    return REFUSALS.get(reason, str(reason)) if reason else None
