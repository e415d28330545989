"""Alerts: who is told, once, that a reply is at risk or breached."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from amazon_support.outputs import messages
from amazon_support.outputs.items import Item
from amazon_support.outputs.outbox import Message, enqueue
from amazon_support.outputs.worklist import read_worklists
from amazon_support.settings import Settings
from amazon_support.warehouse import run_step


def raise_alerts(connection: Connection, settings: Settings, *, as_of: datetime) -> int:
    """Raises what is newly at risk or breached in the worklists of that instant, and queues one message a person.

    For live runs only. Needs the worklists of `as_of` (write_worklists). Whoever has been told of a ticket's
    cycle at a level is never told again.

    Returns: messages queued.
    """
    agents = json.dumps([{"name": agent.name, "email": agent.email} for agent in settings.agents])
    raised: dict[str, dict[tuple[str, str], str]] = defaultdict(dict)
    for row in run_step(connection, "marts/alerts_raise.sql", {"agents": agents, "as_of": as_of}):
        raised[row.recipient][row.account, row.ticket_id] = row.level
    names: dict[str, list[str]] = defaultdict(list)
    items: dict[str, dict[tuple[str, str | None], Item]] = defaultdict(dict)
    for worklist in read_worklists(connection, settings, as_of=as_of) if raised else []:
        names[worklist.email].append(worklist.agent)
        replies = (item for item in worklist.items if item.section == "reply_now")
        items[worklist.email] |= {(item.account, item.ticket_id): item for item in replies}
    return sum(
        enqueue(connection, _message(recipient, ", ".join(names[recipient]), levels, items[recipient], as_of))
        for recipient, levels in raised.items()
    )


def _message(
    recipient: str,
    name: str,
    levels: dict[tuple[str, str], str],
    items: dict[tuple[str, str | None], Item],
    as_of: datetime,
) -> Message:
    def of_level(level: str) -> list[Item]:
        told = [items[ticket] for ticket in levels if levels[ticket] == level]
        return sorted(told, key=lambda item: (item.seconds_left or 0, item.account, item.ticket_id or ""))

    text = messages.alert_mail(name, breached=of_level("breached"), at_risk=of_level("at_risk"), as_of=as_of)
    return Message(
        kind="alert",
        recipient=recipient,
        # Mail that came late can add alerts to an instant that was reported already; they are a message of their own.
        occasion=_digest(f"{account} {ticket} {level}" for (account, ticket), level in sorted(levels.items())),
        as_of=as_of,
        text=text,
    )


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
