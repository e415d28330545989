"""Alerts: who is told what, once, and on which channels. What was told is a fact, written with the message."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from amazon_support.outputs import health, people
from amazon_support.outputs.acknowledge import Breach, Links
from amazon_support.outputs.alert_messages import Notice, alert_mail, alert_sentence, loud_enough
from amazon_support.outputs.items import Item
from amazon_support.outputs.outbox import Message, enqueue
from amazon_support.outputs.reader import N_, Reader
from amazon_support.outputs.worklist import read_worklists, reader
from amazon_support.settings import Agent, Settings
from amazon_support.warehouse import run_step

Told = dict[str, list[Notice]]  # by recipient
SHIPPING = "orders_to_ship"


def raise_alerts(
    connection: Connection,
    settings: Settings,
    *,
    as_of: datetime,
    failing: Iterable[tuple[str, str]] = (),
    links: Links | None = None,
) -> int:
    """Raises everything that is new as of that instant, and queues one message a person and channel.

    Replies and deadlines at risk, breached or still breached (the policy's escalate_after), orders to ship, account
    health, imitations of Amazon, trouble in the pipeline. For live runs only. Needs the worklists of `as_of`
    (write_worklists). Whoever has been told is never told the same again; whoever is off duty is told by the first run
    in which that has changed, if it still is so.

    Args:
        failing: parts of this run that failed: account (or nothing), and a name.
        links: makes the links by which a breach is acknowledged; None: no links.

    Returns: messages queued.
    """
    told = _work(connection, settings, as_of, links)
    _add(told, _health(connection, settings, as_of))
    _add(told, _troubles(connection, settings, as_of, failing))
    return _queue(connection, settings, told, as_of)


def raise_health_alerts(connection: Connection, settings: Settings, *, as_of: datetime) -> int:
    """Queues one message a person with the account health of that instant that is newly not good, or got worse.

    For live runs only. Whoever has been told is told again when it gets worse, or fails again after it was good.

    Returns: messages queued.
    """
    return _queue(connection, settings, _health(connection, settings, as_of), as_of)


def raise_troubles(
    connection: Connection, settings: Settings, *, as_of: datetime, failing: Iterable[tuple[str, str]] = ()
) -> int:
    """Queues one message a lead with what is newly wrong with mailboxes and the pipeline. For live runs only.

    Args:
        failing: as of raise_alerts.

    Returns: messages queued.
    """
    return _queue(connection, settings, _troubles(connection, settings, as_of, failing), as_of)


def note_hour(connection: Connection, *, as_of: datetime, now: datetime) -> None:
    """Notes that the worklists of that hour were written, so that a late one is missed."""
    run_step(connection, "alerts/hour_done.sql", {"as_of": as_of, "written_at": now})


# ---------- what is new


def _work(connection: Connection, settings: Settings, as_of: datetime, links: Links | None) -> Told:
    parameters = {
        "as_of": as_of,
        "ladder": json.dumps(people.ladder(settings, as_of)),
        "steps": json.dumps(_steps(settings)),
        "ship_soon": settings.policy.warn_shipment_before,
        "deadline_soon": settings.policy.warn_deadline_before,
    }
    rows = run_step(connection, "alerts/due_work.sql", parameters).mappings().all()
    # Who missed an earlier level reads of the highest only.
    highest: dict[tuple[str, ...], Any] = {}
    for row in sorted(rows, key=lambda row: _rank(row["level"])):
        highest[row["recipient"], row["account"], row["topic"], row["subject"], str(row["cycle"])] = row
    items = _items(connection, settings, as_of) if rows else {}
    told: Told = defaultdict(list)
    for row in highest.values():
        key = row["account"], row["topic"] == "shipment", row["subject"]
        level = row["level"].rpartition("_")[0] if row["level"].startswith("still_") else row["level"]
        link = _link(links, settings, row, as_of) if "breached" in level else None
        notice = Notice.of_item(
            items[key],
            row["topic"],
            level,
            row["cycle"],
            due_at=row["due_at"],
            as_of=as_of,
            acknowledge=link,
            reader=people.reader_of(settings, row["recipient"]),
        )
        told[row["recipient"]].append(notice)
    for notices in told.values():
        notices.sort(key=lambda n: (n.due_at or as_of, n.account, n.order_id or ""))
    return told


def _items(connection: Connection, settings: Settings, as_of: datetime) -> dict[tuple[str, bool, str], Item]:
    return {
        (item.account, item.section == SHIPPING, str(item.ticket_id or item.order_id)): item
        for worklist in read_worklists(connection, settings, as_of=as_of)
        for item in worklist.items
    }


def _steps(settings: Settings) -> list[dict[str, Any]]:
    return [
        {
            "policy": policy.label,
            "step": number,
            "after": f"{int(after.total_seconds())} seconds",
            "told": policy.escalate_to,
        }
        for policy in settings.service_levels.policies
        for number, after in enumerate(sorted(policy.escalate_after), 1)
    ]


def _rank(level: str) -> tuple[int, int]:
    if level.startswith("still_"):
        return 2, int(level.rpartition("_")[2])
    return ("at_risk", "breached").index(level), 0


def _link(links: Links | None, settings: Settings, row: Any, as_of: datetime) -> str | None:
    who = next((agent.name for agent in settings.agents if agent.recipient == row["recipient"]), None)
    if links is None or who is None or row["topic"] == "shipment":
        return None
    return links.to(Breach(row["account"], row["topic"], row["subject"], row["cycle"], who), at=as_of)


def _health(connection: Connection, settings: Settings, as_of: datetime) -> Told:
    parameters = {"agents": json.dumps(list(people.health_watchers(settings, as_of))), "as_of": as_of}
    raised: dict[str, set[health.Key]] = defaultdict(set)
    for row in run_step(connection, "alerts/health.sql", parameters):
        raised[row.recipient].add((row.account, row.marketplace, row.metric, row.fulfilment, row.period_days))
    figures = health.account_health(connection, settings, as_of=as_of) if raised else []
    return {
        recipient: [
            Notice.of_figure(replace(figure, reader=people.reader_of(settings, recipient)))
            for figure in figures
            if figure.key in keys
        ]
        for recipient, keys in raised.items()
    }


def _troubles(connection: Connection, settings: Settings, as_of: datetime, failing: Iterable[tuple[str, str]]) -> Told:
    policy = settings.policy
    parameters = {
        "as_of": as_of,
        "accounts": [account.name for account in settings.enabled_accounts],
        "silent_after": policy.source_silent_after,
        "stuck_after": policy.delivery_stuck_after,
        "hour_late_after": policy.list_late_after,
    }
    rows = [dict(row) for row in run_step(connection, "alerts/troubles.sql", parameters).mappings()]
    day = as_of.toordinal()
    rows += [
        {"topic": "failed", "account": account, "subject": name, "cycle": day, "since_at": as_of, "count": 1,
         "place": name, "not_for": None}
        for account, name in failing
    ]  # fmt: skip
    if not rows:
        return {}
    by_key = {(row["account"], row["topic"], row["subject"], row["cycle"]): row for row in rows}
    key_names = "account", "topic", "subject", "cycle"
    tell = [
        {**dict(zip(key_names, key, strict=True)), "recipient": lead.recipient}
        for lead in people.leads(settings, as_of)
        for key, row in by_key.items()
        if row["not_for"] != lead.recipient
    ]
    new: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for told in run_step(connection, "alerts/tell.sql", {"as_of": as_of, "told": json.dumps(tell)}).mappings():
        new[told["recipient"]].append(by_key[tuple(told[name] for name in key_names)])
    return {
        recipient: _trouble_notices(found, people.reader_of(settings, recipient), as_of)
        for recipient, found in new.items()
    }


def _trouble_notices(rows: list[dict[str, Any]], reader: Reader, as_of: datetime) -> list[Notice]:
    """One notice a trouble; imitations in one folder are one."""
    grouped: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        place = row["place"] if row["topic"] == "phishing" else row["subject"]
        grouped[row["topic"], row["account"], place].append(row)
    return [_trouble(topic, account, found, reader, as_of) for (topic, account, _), found in sorted(grouped.items())]


@dataclass(frozen=True)
class Trouble:
    """How a trouble is told: of one thing, of several, and what to do. What {place} names is told as it is."""

    one: str
    several: str
    remedy: str


TROUBLES = {
    "phishing": Trouble(
        N_("{count} mail that pretends to be Amazon"),
        N_("{count} mails that pretend to be Amazon"),
        N_("Quarantined in {place}. Follow no link in them; delete them in the mailbox, or report them to Amazon."),
    ),
    "silent": Trouble(
        N_("Nothing new from {place} for {time}"),
        N_("Nothing new from {place} for {time}"),
        N_("Look whether it is switched off: run the doctor."),
    ),
    "failed": Trouble(
        N_("{place} failed"),
        N_("{place} failed"),
        N_("The log of the task says what to do; the rest of the run was done."),
    ),
    "quality": Trouble("{what}", "{what}", N_("For more: python -m amazon_support {command}")),
    "dead": Trouble(
        N_("{count} message could not be delivered"),
        N_("{count} messages could not be delivered"),
        N_("See the command outbox list --dead."),
    ),
    "stuck": Trouble(
        N_("{count} message not sent for {time}"),
        N_("{count} messages not sent for {time}"),
        N_("Look at the mail server: run the doctor."),
    ),
    "late_hour": Trouble(
        N_("No worklist since {since}"),
        N_("No worklist since {since}"),
        N_("Look at the DAG support_hourly: its newest run is late."),
    ),
}


def _trouble(topic: str, account: str, rows: list[dict[str, Any]], reader: Reader, as_of: datetime) -> Notice:
    count, since = sum(row["count"] for row in rows), min(row["since_at"] for row in rows)
    what, _, command = rows[0]["place"].partition("; see ")
    values = {
        "count": count,
        "place": rows[0]["place"],
        "what": what,
        "command": command,
        "time": reader.duration(max(0, int((as_of - since).total_seconds()))),
        "since": reader.when(since),
    }
    trouble = TROUBLES[topic]
    remedy = reader.say(trouble.remedy, **values)
    whose = reader.say("Account {account}.", account=account)
    return Notice(
        topic="phishing" if topic == "phishing" else "pipeline",
        level="trouble",
        identity=" ".join(sorted(f"{row['topic']} {row['subject']} {row['cycle']}" for row in rows)),
        account=account,
        title=reader.say(trouble.one if count == 1 else trouble.several, **values),
        left=reader.say("Quarantined") if topic == "phishing" else reader.say("Trouble"),
        below=reader.when(since),
        count=count if topic == "phishing" else 1,
        remark=f"{remedy} {whose}" if account else remedy,
    )


# ---------- telling it


def _add(told: Told, more: Told) -> None:
    for recipient, notices in more.items():
        told[recipient] = [*told.get(recipient, []), *notices]


def _queue(connection: Connection, settings: Settings, told: Told, as_of: datetime) -> int:
    """One e-mail a recipient, and one sentence to each chat and text connection of theirs that is worth it."""
    return sum(
        enqueue(connection, message)
        for recipient, notices in sorted(told.items())
        if notices
        for message in _messages(settings, recipient, notices, as_of)
    )


def _messages(settings: Settings, recipient: str, notices: Sequence[Notice], as_of: datetime) -> list[Message]:
    who = [agent for agent in settings.agents if agent.recipient == recipient]
    # Mail that came late can add alerts to an instant that was reported already; they are a message of their own.
    occasion = _digest(f"{n.account} {n.topic} {n.level} {n.identity}" for n in notices)
    mail = alert_mail([agent.name for agent in who], notices, people.reader_of(settings, recipient), as_of=as_of)
    return [
        Message(kind="alert", recipient=recipient, as_of=as_of, text=mail, occasion=occasion),
        *(message for agent in who for message in _loud_messages(settings, agent, notices, as_of, occasion)),
    ]


def _loud_messages(
    settings: Settings, agent: Agent, notices: Sequence[Notice], as_of: datetime, occasion: str
) -> Iterable[Message]:
    for channel, connection_id in (("chat", agent.chat), ("text", agent.text)):
        loud = loud_enough(notices, channel)  # type: ignore[arg-type]
        if connection_id and loud:
            yield Message(
                kind="alert",
                recipient=connection_id,
                as_of=as_of,
                text=alert_sentence(loud, reader(agent), as_of=as_of),
                occasion=f"{_digest([agent.name])}:{occasion}",
                channel=channel,  # type: ignore[arg-type]
                available_at=people.quiet_until(agent, settings, as_of),
            )


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
