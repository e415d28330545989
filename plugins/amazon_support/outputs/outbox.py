"""The outbox: messages to people, queued with the state they report, delivered at least once, in order."""

import hashlib
import logging
import os
import re
import smtplib
import ssl as tls
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from types import TracebackType
from typing import Any, Protocol

from sqlalchemy import Connection, Engine

from amazon_support.outputs import messages
from amazon_support.outputs.worklist import read_worklists
from amazon_support.settings import Settings
from amazon_support.warehouse import run_step

log = logging.getLogger(__name__)

DOMAIN_VARIABLE = "AMAZON_SUPPORT_MAIL_DOMAIN"
MAX_ATTEMPTS = 10
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
TIMEOUT = 30  # seconds for each answer of the mail server
ADDRESS = re.compile(r"\S+@\S+")


@dataclass(frozen=True)
class Message:
    """A message to be queued. Kind, recipient, as_of and occasion tell whether it has been queued before."""

    kind: str
    recipient: str
    as_of: datetime
    text: messages.Rendered
    occasion: str = ""

    @property
    def key(self) -> str:
        parts = [
            self.kind,
            _hash(self.recipient)[:16],
            f"{self.as_of.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
            self.occasion,
        ]
        return ":".join(part for part in parts if part)


@dataclass(frozen=True)
class Delivery:
    """Messages sent, failed (they wait for another attempt) and dead (given up; see ops.outbox.last_error)."""

    sent: int
    failed: int
    dead: int


class Transport(Protocol):
    """Takes a message on its way. An smtplib.SMTPException or OSError says that this message was not taken."""

    def send(self, message: EmailMessage) -> None: ...


class TransportUnavailable(Exception):
    """No mail can go out at all: the server does not answer or does not let us in. The message says what to do."""


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
        "recipient": message.recipient,
        "subject": message.text.subject,
        "html": message.text.html,
        "plain": message.text.plain,
        "message_id": f"<{_hash(message.key)[:32]}@{_domain()}>",
        "available_at": message.as_of,
    }
    return run_step(connection, "marts/outbox_enqueue.sql", row).rowcount == 1


def queue_worklists(connection: Connection, settings: Settings, *, as_of: datetime) -> int:
    """Queues each agent's worklist of that instant; an agent who has nothing to do gets none. For live runs only.

    Returns: messages queued.
    """
    return sum(
        enqueue(
            connection,
            Message(
                kind="worklist",
                recipient=worklist.email,
                as_of=as_of,
                text=messages.worklist_mail(worklist),
                occasion=_hash(worklist.agent)[:16],  # two agents may share an address
            ),
        )
        for worklist in read_worklists(connection, settings, as_of=as_of)
        if worklist.items
    )


# ---------- out


def deliver(engine: Engine, transport: Transport, *, at: datetime, limit: int = 1000) -> Delivery:
    """Sends what may be sent at `at`, one message a transaction, each recipient's messages in their order.

    Any number of deliverers may run at once. A message is locked, sent, marked and committed. Whoever dies before
    the server has taken it leaves it waiting. SMTP cannot do better than this: whoever dies after the server said
    250 and before our commit leaves a message that is sent a second time, with the same Message-ID, by which mail
    programs and servers know it for a duplicate.

    A refusal of the recipient or the content for good (5xx) makes a message dead; anything else is tried again
    after 1, 2, 4, ... 60 minutes, ten times in all. Later messages to the same recipient wait meanwhile.

    Args:
        at: aware UTC; the Date of the messages, too. limit: most attempts of this call.

    Raises: TransportUnavailable if no mail can go out; that costs no message an attempt.
    """
    outcomes: Counter[str] = Counter()
    for _ in range(limit):
        with engine.begin() as connection:
            row = run_step(connection, "marts/outbox_next.sql", {"at": at}).mappings().one_or_none()
            if row is None:
                break
            settled = _attempt(transport, row, at)
            run_step(connection, "marts/outbox_settle.sql", {"outbox_id": row["outbox_id"], **settled})
        outcomes["sent" if settled["sent_at"] else "dead" if settled["dead_at"] else "failed"] += 1
    return Delivery(sent=outcomes["sent"], failed=outcomes["failed"], dead=outcomes["dead"])


class SmtpTransport:
    """Mail out by SMTP, one session for a batch; use as a context manager. Connects when the first message comes.

    Args:
        ssl: TLS from the start. starttls: TLS after the greeting. Certificates are verified.
        sender: From of the messages.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        user: str | None = None,
        password: str | None = None,
        starttls: bool = False,
        ssl: bool = False,
        sender: str,
    ) -> None:
        self.host, self.port, self.sender = host, port, sender
        self._user, self._password = user, password
        self._starttls, self._ssl = starttls, ssl
        self._session: smtplib.SMTP | None = None

    def __enter__(self) -> "SmtpTransport":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def connect(self) -> None:
        """Connects and logs in now, to see whether mail can go out.

        Raises: TransportUnavailable saying why not.
        """
        self._session = self._session or self._connect()

    def send(self, message: EmailMessage) -> None:
        """Sends the message.

        Raises: smtplib.SMTPException or OSError if the server does not take it, TransportUnavailable if there
        is no server to give it to.
        """
        del message["From"]
        message["From"] = self.sender
        session = self._session = self._session or self._connect()
        try:
            session.send_message(message)
        except smtplib.SMTPException as error:
            if isinstance(error, smtplib.SMTPServerDisconnected) or session.sock is None:
                self._close()
            raise
        except OSError:
            self._close()
            raise

    def _connect(self) -> smtplib.SMTP:
        try:
            if self._ssl:
                context = tls.create_default_context()
                session: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT, context=context)
            else:
                session = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT)
            if self._starttls:
                session.starttls(context=tls.create_default_context())
            if self._user:
                session.login(self._user, self._password or "")
        except (smtplib.SMTPException, OSError) as error:
            raise TransportUnavailable(
                f"The mail server {self.host}:{self.port} cannot be used ({_explain(error)}): check host, port, "
                "encryption, user and password of the SMTP connection. Messages wait in ops.outbox."
            ) from error
        return session

    def _close(self) -> None:
        session, self._session = self._session, None
        if session is None:
            return
        try:
            session.quit()
        except (smtplib.SMTPException, OSError):
            session.close()


def _attempt(transport: Transport, row: Any, at: datetime) -> dict[str, Any]:
    """Sends one message; returns what becomes of its row."""
    settled: dict[str, Any] = {"sent_at": at, "dead_at": None, "available_at": at, "last_error": None}
    try:
        transport.send(_mail(row, at))
    except (smtplib.SMTPException, OSError) as error:
        settled["sent_at"], settled["last_error"] = None, _explain(error)
        if _is_refused_for_good(error) or row["attempts"] + 1 >= MAX_ATTEMPTS:
            settled["dead_at"] = at
        else:
            settled["available_at"] = at + min(FIRST_WAIT * 2 ** row["attempts"], LONGEST_WAIT)
        fate = "given up" if settled["dead_at"] else "will be tried again"
        log.warning("Message %s of ops.outbox not sent, %s: %s", row["outbox_id"], fate, settled["last_error"])
    return settled


def _mail(row: Any, at: datetime) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["Message-ID"] = row["message_id"]
    mail["Date"] = format_datetime(at)
    mail["To"] = row["recipient"]
    mail["Subject"] = row["subject"]
    mail["List-Id"] = f"<{row['kind']}.{_domain()}>"
    # So that absence notes and other automatic replies leave it alone (RFC 3834; Exchange's own header).
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(row["plain"])
    mail.add_alternative(row["html"], subtype="html")
    return mail


def _is_refused_for_good(error: Exception) -> bool:
    """Whether the server will never take this message. A refused sender is our setting, not the message's fault."""
    code = 0 if isinstance(error, smtplib.SMTPSenderRefused) else _answer(error)[0]
    return 500 <= code < 600


def _explain(error: Exception) -> str:
    """Code and text of the answer, without addresses, 200 characters at most."""
    code, text = _answer(error)
    words = f"{code} {text}" if code else f"{type(error).__name__} {error}"
    return ADDRESS.sub("<address>", words)[:200]


def _answer(error: Exception) -> tuple[int, str]:
    """The server's code (0: none) and text."""
    code: int = 0
    text: bytes | str = ""
    if isinstance(error, smtplib.SMTPRecipientsRefused) and error.recipients:
        code, text = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, text = error.smtp_code, error.smtp_error
    return code, text.decode(errors="replace") if isinstance(text, bytes) else text


def _domain() -> str:
    return os.environ.get(DOMAIN_VARIABLE, "amazon-support.local")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
