"""The outbox: messages to people, queued with the state they report, delivered at least once, in order."""

import base64
import hashlib
import json
import logging
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection, Engine

from amazon_support.outputs import messages
from amazon_support.outputs.channels import Attachment, Channel, NotTaken, Outgoing, Transport, TransportUnavailable
from amazon_support.outputs.items import Worklist
from amazon_support.outputs.worklist import as_csv, read_lists, read_worklists, with_words
from amazon_support.settings import Settings
from amazon_support.warehouse import run_step

log = logging.getLogger(__name__)

DOMAIN_VARIABLE = "AMAZON_SUPPORT_MAIL_DOMAIN"
MAX_ATTEMPTS = 10
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True)
class Message:
    """A message to be queued. Channel, kind, recipient, as_of and occasion tell whether it has been queued before.

    Attributes:
        recipient: of an e-mail the address, or the name of an agent who has none; of chat and text the id of an
            Airflow connection.
        available_at: not sent before; default: as_of. attachments: of an e-mail.
        about: tickets whose buyers it quotes, as account/ticket_id: it is emptied when their words are removed.
    """

    kind: str
    recipient: str
    as_of: datetime
    text: messages.Rendered
    occasion: str = ""
    channel: Channel = "email"
    available_at: datetime | None = None
    attachments: Sequence[Attachment] = ()
    about: Sequence[str] = ()

    @property
    def key(self) -> str:
        parts = [
            "" if self.channel == "email" else self.channel,
            self.kind,
            _hash(self.recipient)[:16],
            f"{self.as_of.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
            self.occasion,
        ]
        return ":".join(part for part in parts if part)


@dataclass(frozen=True)
class Delivery:
    """Messages sent, failed (they wait for another attempt) and dead (given up; see pii.outbox.last_error)."""

    sent: int
    failed: int
    dead: int


# ---------- in


def enqueue(connection: Connection, message: Message) -> bool:
    """Queues the message in the caller's transaction, to be sent from its as_of on.

    The Message-ID is made from the message's key; its domain comes from AMAZON_SUPPORT_MAIL_DOMAIN
    (default: amazon-support.local).

    Returns: whether it is new; one that has been queued before changes nothing.
    """
    row = {
        "message_key": message.key,
        "kind": message.kind,
        "channel": message.channel,
        "recipient": message.recipient,
        "subject": message.text.subject,
        "html": message.text.html,
        "plain": message.text.plain,
        "message_id": f"<{_hash(message.key)[:32]}@{_domain()}>",
        "available_at": message.available_at or message.as_of,
        "attachments": json.dumps([_packed(each) for each in message.attachments]),
        "about": list(message.about),
    }
    return run_step(connection, "outbox/enqueue.sql", row).rowcount == 1


def queue_worklists(connection: Connection, settings: Settings, *, as_of: datetime, pages: str = "") -> int:
    """Queues the worklists of that instant: each agent's, each team's for its lead, and those of desks and marketplaces
    that the settings name. One without work is queued only if the settings say so. For live runs only.

    Args:
        pages: URL of the support pages, for links to the lists; empty: no links.

    Returns: messages queued.
    """
    found = [*read_worklists(connection, settings, as_of=as_of), *read_lists(connection, settings, as_of=as_of)]
    worklists = [worklist for worklist in found if worklist.items or settings.policy.send_empty_lists]
    return sum(
        enqueue(connection, worklist_message(each, pages)) for each in with_words(connection, settings, worklists)
    )


def worklist_message(worklist: Worklist, pages: str) -> Message:
    """The message of a list; `pages` as of queue_worklists."""
    file = f"worklist-{worklist.as_of.astimezone(UTC):%Y%m%dT%H%MZ}.csv"
    return Message(
        kind="worklist",
        recipient=worklist.recipient,
        as_of=worklist.as_of,
        text=messages.worklist_mail(replace(worklist, page=page_of(worklist, pages))),
        # Two lists may go to one address.
        occasion=_hash(worklist.name if worklist.of == "agent" else f"{worklist.of}:{worklist.name}")[:16],
        attachments=[Attachment(file, "text/csv", as_csv(worklist))],
        about=[f"{item.account}/{item.ticket_id}" for item in worklist.items if item.words],
    )


def page_of(worklist: Worklist, pages: str) -> str:
    """URL of the list among the support pages; it shows the newest list, whoever asks for it."""
    chosen: dict[str, str] = {worklist.of: worklist.name}
    return f"{pages}/worklist?{urlencode(chosen)}" if pages else ""


# ---------- out


def deliver(
    engine: Engine,
    transport: Transport,
    *,
    at: datetime,
    limit: int = 1000,
    channels: Sequence[Channel] = ("email", "chat", "text"),
    addresses: Mapping[str, str] | None = None,
) -> Delivery:
    """Sends what may be sent at `at`, one message a transaction, each recipient's messages in their order.

    Any number of deliverers may run at once. A message is locked, sent, marked and committed. Whoever dies before
    the server has taken it leaves it waiting. SMTP cannot do better than this: whoever dies after the server said
    250 and before our commit leaves a message that is sent a second time, with the same Message-ID, by which mail
    programs and servers know it for a duplicate.

    A refusal of the recipient or the content for good (5xx) makes a message dead; anything else is tried again
    after 1, 2, 4, ... 60 minutes, ten times in all. Later messages to the same recipient wait meanwhile.
    While all sending is held (outbox hold), nothing is sent.

    Args:
        at: aware UTC; the Date of the messages, too. limit: most attempts of this call. channels: others wait.
        addresses: e-mail addresses of agents by name, for what was queued while the agent had none.

    Raises: TransportUnavailable if nothing can go out by one of the channels, after the others have been served;
        that costs no message an attempt.
    """
    outcomes: Counter[str] = Counter()
    usable = list(channels)
    broken: list[TransportUnavailable] = []
    for _ in range(limit):
        try:
            outcome = _deliver_next(engine, transport, usable, at, addresses or {})
        except _Unavailable as unavailable:
            usable.remove(unavailable.channel)
            broken.append(unavailable.why)
            continue
        if outcome is None:
            break
        outcomes[outcome] += 1
    if broken:
        raise TransportUnavailable(" ".join(str(each) for each in broken)) from broken[0]
    return Delivery(sent=outcomes["sent"], failed=outcomes["failed"], dead=outcomes["dead"])


class _Unavailable(Exception):
    def __init__(self, channel: Channel, why: TransportUnavailable) -> None:
        super().__init__(str(why))
        self.channel, self.why = channel, why


def _deliver_next(
    engine: Engine, transport: Transport, channels: list[Channel], at: datetime, addresses: Mapping[str, str]
) -> str | None:
    """What became of the next message; None if there is none."""
    with engine.begin() as connection:
        row = run_step(connection, "outbox/next.sql", {"at": at, "channels": channels}).mappings().one_or_none()
        if row is None:
            return None
        try:
            settled = _attempt(transport, row, at, addresses)
        except TransportUnavailable as why:
            raise _Unavailable(row["channel"], why) from why
        run_step(connection, "outbox/settle.sql", {"outbox_id": row["outbox_id"], **settled})
    return "sent" if settled["sent_at"] else "dead" if settled["dead_at"] else "failed"


def _attempt(transport: Transport, row: Any, at: datetime, addresses: Mapping[str, str]) -> dict[str, Any]:
    """Sends one message; returns what becomes of its row."""
    settled: dict[str, Any] = {"sent_at": at, "dead_at": None, "available_at": at, "last_error": None}
    try:
        transport.send(_outgoing(row, at, addresses))
    except NotTaken as error:
        settled["sent_at"], settled["last_error"] = None, str(error)
        if error.for_good or row["attempts"] + 1 >= MAX_ATTEMPTS:
            settled["dead_at"] = at
        else:
            settled["available_at"] = at + min(FIRST_WAIT * 2 ** row["attempts"], LONGEST_WAIT)
        fate = "given up" if settled["dead_at"] else "will be tried again"
        log.warning("Message %s of pii.outbox not sent, %s: %s", row["outbox_id"], fate, settled["last_error"])
    return settled


def _outgoing(row: Any, at: datetime, addresses: Mapping[str, str]) -> Outgoing:
    return Outgoing(
        channel=row["channel"],
        recipient=addresses.get(row["recipient"]) or row["recipient"],
        subject=row["subject"],
        html=row["html"],
        plain=row["plain"],
        message_id=row["message_id"],
        list_id=f"<{row['kind']}.{_domain()}>",
        at=at,
        attachments=[
            Attachment(each["name"], each["type"], base64.b64decode(each["base64"]), each.get("content_id"))
            for each in row["attachments"]
        ],
    )


def _packed(attachment: Attachment) -> dict[str, str]:
    content = base64.b64encode(attachment.content).decode()
    packed = {"name": attachment.name, "type": attachment.media_type, "base64": content}
    return packed | ({"content_id": attachment.content_id} if attachment.content_id else {})


def _domain() -> str:
    return os.environ.get(DOMAIN_VARIABLE, "amazon-support.local")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
