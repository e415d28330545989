"""A person says what a mail is that the rules did not understand."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from amazon_support.settings import Settings
from amazon_support.tickets.actions import Action, NotPossible, newest_ticket, patient, record
from amazon_support.tickets.clocks import Promises
from amazon_support.tickets.fold import fold
from amazon_support.warehouse import run_step
from amazon_support.warehouse.land import publish_decided


def decide(
    connection: Connection,
    settings: Settings,
    ticket: dict[str, Any],
    mail_id: str,
    kind: str,
    *,
    identity: str,
    by: str,
    at: datetime,
) -> str | None:
    """Records the decision and makes everything as if the rules had always said so, in the caller's transaction.

    The mail moves to the ticket that it belongs to then, with what was done to it so far. A mail that makes no ticket
    leaves a solved one behind, so that the decision can be seen, and changed.

    Args:
        ticket: the mail's ticket so far, as include/sql/tickets/show_ticket.sql has it. kind: of mail.facts.Kind.
        identity: the same for a repeated click. by: the person's name in Airflow. at: now, aware UTC.

    Returns: id of the ticket that the mail is on now.
    Raises: Busy as actions.act; NotPossible if nobody can see any more what the mail says.
    """
    account, old_key = ticket["account"], ticket["ticket_key"]
    mail = {"account": account, "mail_id": mail_id}
    with patient(connection):
        said = mail | {"kind": kind, "decided_by": by, "decided_at": at, "identity": identity}
        filed = run_step(connection, "tickets/decide_record.sql", said).one_or_none()
        if filed is None:
            return newest_ticket(connection, account, old_key)
        if filed.batch_id is None:
            raise NotPossible("The words of this mail were removed: nobody can say any more what it is.")
        publish_decided(connection, settings, account, filed.batch_id)
        now = run_step(connection, "tickets/decide_ticket.sql", mail).one()
        place = ticket | {"ticket_key": now.ticket_key or old_key, "marketplace": now.marketplace}
        is_filed_only = now.ticket_key is None
        decided = Action(
            "decide_mail",
            identity,
            by,
            mail_kind=kind,
            ticket_type="system_message" if is_filed_only else None,
        )
        record(connection, place, decided, at=at)
        if is_filed_only:
            record(connection, place, Action("solve", f"{identity}:solve", by), at=at)
        elif now.ticket_key != old_key:  # also if nothing is left there: whoever comes by an old link finds it
            record(connection, place, Action("merge", f"{identity}:merge", by, into=old_key), at=at)
        fold(connection, settings.policy, Promises.of(settings))
    return newest_ticket(connection, account, place["ticket_key"])
