"""What a person does to a ticket, as an event that is recorded once and folded at once."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
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
    "assign",
    "hold",
    "solve",
    "no_response_needed",
    "unread",
    "note",
    "change_type",
    "attach_order",
    "detach_order",
    "merge",
    "unmerge",
    "follow_up",
    "black_list",
    "black_list_end",
    "decide_mail",
]
Scope = Literal["account", "everywhere"]
SOURCE = "page"
PATIENCE = 8_000  # milliseconds; a person waits so long for the hourly fold
REFUSALS = {
    "closed": "The ticket is closed: nothing can be changed. What the buyer writes next opens a follow-up ticket.",
    "fixed_type": "This type of ticket cannot be changed.",
    "unknown_type": "There is no such type.",
}
OF_THE_BUYER = ("follow_up", "black_list", "black_list_end")


class Busy(Exception):
    """The tickets are being folded; nothing was recorded."""


class NotPossible(Exception):
    """The action makes no sense for this ticket; nothing may be recorded. The message says why."""


@dataclass(frozen=True)
class Action:
    """One deed of one person.

    Attributes:
        identity: the same for a repeated click; a second one changes nothing. by: the person's name in Airflow.
        agent: who gets the ticket, of assign. stakeholder: for whom it waits, of hold. ticket_type: the new one, of
            change_type. order_id: of attach_order and detach_order. into: ticket_key of the other ticket, of merge and
            unmerge. scope: of black_list and black_list_end. mail_kind: of decide_mail. words: of note; personal data.
    """

    kind: Kind
    identity: str
    by: str
    agent: str | None = None
    stakeholder: str | None = None
    ticket_type: str | None = None
    order_id: str | None = None
    into: str | None = None
    scope: Scope | None = None
    mail_kind: str | None = None
    words: str | None = None


def act(connection: Connection, settings: Settings, ticket: dict[str, Any], action: Action, *, at: datetime) -> None:
    """Records the action and folds its ticket, in the caller's transaction: it shows as soon as that commits.

    Args:
        ticket: as include/sql/tickets/show_ticket.sql has it. at: when it happened, aware UTC.

    Raises:
        Busy: another fold takes longer than PATIENCE.
        NotPossible: there is nothing to follow up, or no buyer to black-list. The caller rolls back.
    """
    with patient(connection):
        if not record(connection, ticket, action, at=at):
            return
        _check(connection, ticket, action)
        if action.kind == "attach_order" and ticket["marketplace"] in settings.by_country:
            order = {name: ticket[name] for name in ("account", "marketplace")} | {"order_id": action.order_id}
            region = settings.by_country[ticket["marketplace"]].region
            run_step(connection, "tickets/act_order.sql", order | {"region": region})
        fold(connection, settings.policy, Promises.of(settings))


def record(connection: Connection, ticket: dict[str, Any], action: Action, *, at: datetime) -> bool:
    """Writes the event, and that its ticket is to be folded.

    Returns: whether it is new.
    """
    is_follow_up = action.kind == "follow_up"
    detail = {name: getattr(action, name) for name in ("agent", "stakeholder", "into", "scope", "mail_kind")}
    row = {
        "account": ticket["account"],
        "source": SOURCE,
        "source_id": action.identity,
        "ticket_key": ticket["ticket_key"],
        "marketplace": ticket["marketplace"],
        "kind": action.kind,
        "ticket_type": ticket["ticket_type"] if is_follow_up else action.ticket_type,
        "occurred_at": at,
        "actor": action.by,
        "order_id": ticket["order_id"] if is_follow_up else action.order_id,
        "buyer_ref": ticket["buyer_ref"] if action.kind in OF_THE_BUYER else None,
        "detail": json.dumps({name: value for name, value in detail.items() if value}),
        "words": action.words,
    }
    return bool(run_step(connection, "tickets/act.sql", row).all())


@contextmanager
def patient(connection: Connection) -> Iterator[None]:
    """Waits at most PATIENCE for a lock.

    Raises: Busy.
    """
    run_step(connection, "tickets/act_wait.sql", {"milliseconds": str(PATIENCE)})
    try:
        yield
    except OperationalError as error:
        if isinstance(error.orig, LockNotAvailable):
            raise Busy(
                "The hourly job is computing the tickets. Nothing was changed; try again in a minute."
            ) from error
        raise


def newest_ticket(connection: Connection, account: str, ticket_key: str) -> str | None:
    """Id of the newest ticket of that key, or of the one that it was merged into; None if there is none."""
    key = {"account": account, "ticket_key": ticket_key}
    found = run_step(connection, "tickets/newest_ticket.sql", key).scalar()
    return str(found) if found else None


def refusal(connection: Connection, account: str, identity: str) -> str | None:
    """Why that action has no effect, in a sentence; None if it has one."""
    key = {"account": account, "source": SOURCE, "source_id": identity}
    reason = run_step(connection, "tickets/act_refused.sql", key).scalar()
    return REFUSALS.get(reason, str(reason)) if reason else None


def _check(connection: Connection, ticket: dict[str, Any], action: Action) -> None:
    if action.kind in ("black_list", "black_list_end") and not ticket["buyer_ref"]:
        raise NotPossible("No buyer is known of this ticket.")
    if action.kind in ("merge", "unmerge") and action.into == ticket["ticket_key"]:
        raise NotPossible("That is this ticket itself.")
    if action.kind == "follow_up":
        newest = newest_ticket(connection, ticket["account"], ticket["ticket_key"])
        if newest != ticket["ticket_id"]:
            raise NotPossible(f"There is a follow-up ticket already: {newest}.")
        if ticket["status"] != "closed":
            raise NotPossible("Only a closed ticket is followed up; this one can still be worked on.")
