"""Alerts: who is told, once, that a reply or a shipment is at risk or late, or that account health is not good."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from amazon_support.outputs import health, messages
from amazon_support.outputs.items import Item
from amazon_support.outputs.outbox import Message, enqueue
from amazon_support.outputs.worklist import read_worklists
from amazon_support.settings import Settings
from amazon_support.warehouse import run_step

Subject = tuple[str, str]  # account, and what the alert is about: a ticket, or an order to ship
# In the order in which they are read.
HEADINGS = {
    "Breached": ("reply_now", "breached"),
    "At risk": ("reply_now", "at_risk"),
    "Late to ship": ("orders_to_ship", "breached"),
    "To ship soon": ("orders_to_ship", "at_risk"),
}
SECTIONS_ALERTED = {section for section, _ in HEADINGS.values()}


def raise_alerts(connection: Connection, settings: Settings, *, as_of: datetime) -> int:
    """Raises what is newly urgent in the worklists of that instant, and queues one message a person: replies at risk or
    breached, orders to be shipped soon or late.

    For live runs only. Needs the worklists of `as_of` (write_worklists). Whoever has been told of a ticket's cycle,
    or of an order, at a level is never told again.

    Returns: messages queued.
    """
    agents = json.dumps([{"name": agent.name, "email": agent.email} for agent in settings.agents])
    parameters = {"agents": agents, "as_of": as_of, "ship_soon": settings.policy.warn_shipment_before}
    raised: dict[str, dict[Subject, str]] = defaultdict(dict)
    for row in run_step(connection, "marts/alerts_raise.sql", parameters):
        raised[row.recipient][row.account, row.subject] = row.level
    names: dict[str, list[str]] = defaultdict(list)
    items: dict[str, dict[Subject, Item]] = defaultdict(dict)
    for worklist in read_worklists(connection, settings, as_of=as_of) if raised else []:
        names[worklist.email].append(worklist.agent)
        items[worklist.email] |= {_subject(item): item for item in worklist.items if item.section in SECTIONS_ALERTED}
    return sum(
        enqueue(connection, _message(recipient, ", ".join(names[recipient]), levels, items[recipient], as_of))
        for recipient, levels in raised.items()
    )


def raise_health_alerts(connection: Connection, settings: Settings, *, as_of: datetime) -> int:
    """Queues one message a person with the account health of that instant that is newly not good, or got worse.

    For live runs only. Whoever has been told is told again when it gets worse, or fails again after it was good.

    Returns: messages queued.
    """
    agents = [{"email": agent.email, "marketplaces": agent.marketplaces} for agent in settings.agents]
    parameters = {"agents": json.dumps(agents), "as_of": as_of}
    raised: dict[str, set[health.Key]] = defaultdict(set)
    for row in run_step(connection, "marts/health_alerts_raise.sql", parameters):
        raised[row.recipient].add((row.account, row.marketplace, row.metric, row.fulfilment, row.period_days))
    figures = health.account_health(connection, settings, as_of=as_of) if raised else []
    queued = 0
    for recipient, keys in raised.items():
        told = [figure for figure in figures if figure.key in keys]
        message = Message(
            kind="health_alert",
            recipient=recipient,
            occasion=_digest(f"{figure.key} {figure.measured_at}" for figure in told),
            as_of=as_of,
            text=messages.health_mail(told, as_of=as_of),
        )
        queued += enqueue(connection, message)
    return queued


def _subject(item: Item) -> Subject:
    return item.account, str(item.ticket_id or item.order_id)


def _message(
    recipient: str, name: str, levels: dict[Subject, str], items: dict[Subject, Item], as_of: datetime
) -> Message:
    def told(section: str, level: str) -> list[Item]:
        found = [items[subject] for subject in levels if levels[subject] == level]
        return sorted(
            (item for item in found if item.section == section),
            key=lambda item: (item.seconds_left or 0, *_subject(item)),
        )

    groups = {heading: told(section, level) for heading, (section, level) in HEADINGS.items()}
    return Message(
        kind="alert",
        recipient=recipient,
        # Mail that came late can add alerts to an instant that was reported already; they are a message of their own.
        occasion=_digest(f"{account} {subject} {level}" for (account, subject), level in sorted(levels.items())),
        as_of=as_of,
        text=messages.alert_mail(name, groups, as_of=as_of),
    )


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
