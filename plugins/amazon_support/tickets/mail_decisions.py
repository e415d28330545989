"""A person says what mail is that the rules did not understand: one mail, or all of a sender or with a phrase."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from amazon_support.settings import Settings
from amazon_support.tickets.actions import Action, NotPossible, newest_ticket, patient, record
from amazon_support.tickets.clocks import Promises
from amazon_support.tickets.fold import fold
from amazon_support.warehouse import run_step
from amazon_support.warehouse.land import publish_decided

SENDER = re.compile(r"^[^\s@]*@[^\s@]+\.[^\s@]+$")
LEAST_PHRASE = 4  # characters; less would fit nearly everything


class BadRule(ValueError):
    """A rule that says nothing, or too much; the message says what was expected."""


@dataclass(frozen=True)
class MailRule:
    """What unknown mail is from now on, and what was not decided so far.

    Attributes:
        kind: of mail.facts.Kind. sender: an address, or @ and a domain for everybody there; empty: any.
        phrase: somewhere in the subject; empty: any subject. Both given, both must fit.

    Raises: BadRule.
    """

    kind: str
    sender: str = ""
    phrase: str = ""

    def __post_init__(self) -> None:
        if not self.sender and not self.phrase:
            raise BadRule("A rule needs a sender, a phrase of the subject, or both.")
        if self.sender and not SENDER.fullmatch(self.sender):
            raise BadRule(f"{self.sender}: expected an address, or @ and a domain, such as @carrier.example.")
        if self.phrase and len(self.phrase) < LEAST_PHRASE:
            raise BadRule(f"A phrase of less than {LEAST_PHRASE} characters would be for nearly every mail.")


@dataclass(frozen=True)
class _Undecided:
    """A mail, its ticket so far (as include/sql/tickets/show_ticket.sql has it), and the identity of the decision."""

    mail_id: str
    ticket: Mapping[str, Any]
    identity: str


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
    with patient(connection):
        keys = _decide(connection, settings, [_Undecided(mail_id, ticket, identity)], kind, by, at)
    return newest_ticket(connection, ticket["account"], keys[0] if keys else ticket["ticket_key"])


def make_rule(
    connection: Connection, settings: Settings, account: str, rule: MailRule, *, identity: str, by: str, at: datetime
) -> int:
    """Records the rule, in the caller's transaction. It is for mail of the account that comes from now on, and decides
    what was not decided so far. Rules of mail_rules.yaml come first: only what those do not know is looked at.

    Args: as of decide.

    Returns: how many mails it decided.
    Raises: Busy as actions.act.
    """
    with patient(connection):
        said = {"account": account, "sender": rule.sender.lower() or None, "phrase": rule.phrase or None}
        made = {"kind": rule.kind, "made_by": by, "made_at": at, "identity": identity}
        rule_id = run_step(connection, "tickets/rule_record.sql", said | made).scalar()
        if rule_id is None:
            return 0
        found = run_step(connection, "tickets/rule_mail.sql", {"account": account, "rule_id": rule_id}).mappings().all()
        mails = [_Undecided(row["mail_id"], dict(row), f"{identity}:{row['mail_id'][:16]}") for row in found]
        return len(_decide(connection, settings, mails, rule.kind, by, at))


def end_rule(connection: Connection, account: str, rule_id: int, *, by: str, at: datetime) -> None:
    """Mail that is received from `at` on is not for the rule any more, in the caller's transaction; what it decided
    stays."""
    run_step(
        connection, "tickets/rule_end.sql", {"account": account, "rule_id": rule_id, "ended_by": by, "ended_at": at}
    )


def _decide(
    connection: Connection, settings: Settings, mails: Sequence[_Undecided], kind: str, by: str, at: datetime
) -> list[str]:
    """Keys of the tickets on which the mails are now, of those that were not decided by the same click already."""
    new: list[_Undecided] = []
    batches: list[int] = []
    for mail in mails:
        said = {"account": mail.ticket["account"], "mail_id": mail.mail_id, "kind": kind}
        said |= {"decided_by": by, "decided_at": at, "identity": mail.identity}
        if filed := run_step(connection, "tickets/decide_record.sql", said).one_or_none():
            if filed.batch_id is None:
                raise NotPossible("The words of this mail were removed: nobody can say any more what it is.")
            new.append(mail)
            batches.append(filed.batch_id)
    if not new:
        return []
    publish_decided(connection, settings, new[0].ticket["account"], min(batches))
    keys = [_settle(connection, mail, kind, by, at) for mail in new]
    fold(connection, settings.policy, Promises.of(settings))
    return keys


def _settle(connection: Connection, mail: _Undecided, kind: str, by: str, at: datetime) -> str:
    """Records on the ticket where the mail is now what was decided of it; returns that ticket's key."""
    ticket, old_key = dict(mail.ticket), mail.ticket["ticket_key"]
    asked = {"account": ticket["account"], "mail_id": mail.mail_id}
    now = run_step(connection, "tickets/decide_ticket.sql", asked).one()
    place = ticket | {"ticket_key": now.ticket_key or old_key, "marketplace": now.marketplace}
    is_filed_only = now.ticket_key is None
    decided = Action(
        "decide_mail",
        mail.identity,
        by,
        mail_kind=kind,
        ticket_type="system_message" if is_filed_only else None,
    )
    record(connection, place, decided, at=at)
    if is_filed_only:
        record(connection, place, Action("solve", f"{mail.identity}:solve", by), at=at)
    elif now.ticket_key != old_key:  # also if nothing is left there: whoever comes by an old link finds it
        record(connection, place, Action("merge", f"{mail.identity}:merge", by, into=old_key), at=at)
    return str(place["ticket_key"])
