"""Ways on which messages leave: what a channel is, and e-mail by SMTP."""

import re
import smtplib
import ssl as tls
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from types import TracebackType
from typing import Any, Literal, Protocol

Channel = Literal["email", "chat", "text"]
TIMEOUT = 30  # seconds for each answer of the mail server
ADDRESS = re.compile(r"\S+@\S+")
LONGEST_ERROR = 200


@dataclass(frozen=True)
class Attachment:
    """A file that goes with an e-mail; `media_type` such as text/csv.

    Attributes:
        content_id: of a picture that the HTML shows as cid:….
    """

    name: str
    media_type: str
    content: bytes
    content_id: str | None = None


@dataclass(frozen=True)
class Outgoing:
    """A message on its way.

    Attributes:
        recipient: of an e-mail the address; of chat and text the Airflow connection. at: aware UTC, the Date.
        list_id: tells mail programs which kind of message it is.
    """

    channel: Channel
    recipient: str
    subject: str
    html: str
    plain: str
    message_id: str
    list_id: str
    at: datetime
    attachments: Sequence[Attachment] = ()


class NotTaken(Exception):
    """This message was not taken, others may be. The text is fit for people and names no address.

    Attributes:
        for_good: trying again is of no use.
    """

    def __init__(self, why: str, *, for_good: bool = False) -> None:
        super().__init__(ADDRESS.sub("<address>", why)[:LONGEST_ERROR])
        self.for_good = for_good


class TransportUnavailable(Exception):
    """Nothing can go out by this channel: the server does not answer or does not let us in. Says what to do."""


class Transport(Protocol):
    """Takes messages on their way."""

    def send(self, message: Outgoing) -> None:
        """Raises: NotTaken, TransportUnavailable."""
        ...


class ByChannel:
    """Each message by the transport of its channel."""

    def __init__(self, transports: Mapping[Channel, Transport]) -> None:
        self.transports = transports

    def send(self, message: Outgoing) -> None:
        self.transports[message.channel].send(message)


class SmtpTransport:
    """Mail out by SMTP, one session for a batch; use as a context manager. Connects when the first message comes.

    Args:
        ssl: TLS from the start. starttls: TLS after the greeting. Certificates are verified.
        sender: From of the messages. timeout: seconds for each answer of the server.
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
        timeout: float = TIMEOUT,
    ) -> None:
        self.host, self.port, self.sender = host, port, sender
        self._user, self._password = user, password
        self._starttls, self._ssl, self._timeout = starttls, ssl, timeout
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

    def send(self, message: Outgoing) -> None:
        """Sends the message.

        Raises: NotTaken if the server does not take it, TransportUnavailable if there is no server to give it to.
        """
        if "@" not in message.recipient:
            raise NotTaken("this agent has no e-mail address: add one in agents.yaml")
        try:
            mail = as_mail(message, self.sender)
        except Exception as error:  # a line break where there can be none; one message must not stop the others
            raise NotTaken(f"cannot be written as mail: {type(error).__name__} {error}", for_good=True) from None
        self.connect()
        session = self._session
        assert session
        try:
            session.send_message(mail)
        except smtplib.SMTPException as error:
            if isinstance(error, smtplib.SMTPServerDisconnected) or session.sock is None:
                self._close()
            raise NotTaken(_explain(error), for_good=_is_for_good(error)) from error
        except (OSError, ValueError) as error:
            self._close()
            raise NotTaken(_explain(error)) from error

    def _connect(self) -> smtplib.SMTP:
        try:
            if self._ssl:
                context = tls.create_default_context()
                session: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=self._timeout, context=context)
            else:
                session = smtplib.SMTP(self.host, self.port, timeout=self._timeout)
            if self._starttls:
                session.starttls(context=tls.create_default_context())
            if self._user:
                session.login(self._user, self._password or "")
        except (smtplib.SMTPException, OSError) as error:
            raise TransportUnavailable(
                f"The mail server {self.host}:{self.port} cannot be used ({_explain(error)}): check host, port, "
                "encryption, user and password of the SMTP connection. Messages wait in pii.outbox."
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


def as_mail(message: Outgoing, sender: str) -> EmailMessage:
    """The message as a mail of both forms.

    Raises: ValueError, or whatever Python's email package does with a head that it cannot read.
    """
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["Message-ID"] = message.message_id
    mail["Date"] = format_datetime(message.at)
    mail["To"] = message.recipient
    mail["Subject"] = message.subject
    mail["List-Id"] = message.list_id
    # So that absence notes and other automatic replies leave it alone (RFC 3834; Exchange's own header).
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(message.plain)
    mail.add_alternative(message.html, subtype="html")
    shown: Any = mail.get_body(("html",))
    for each in message.attachments:
        main, _, sub = each.media_type.partition("/")
        if each.content_id:
            shown.add_related(
                each.content, main, sub, cid=f"<{each.content_id}>", filename=each.name, disposition="inline"
            )
        else:
            mail.add_attachment(each.content, maintype=main, subtype=sub, filename=each.name)
    return mail


def _is_for_good(error: Exception) -> bool:
    """Whether the server will never take this message. A refused sender is our setting, not the message's fault."""
    code = 0 if isinstance(error, smtplib.SMTPSenderRefused) else _answer(error)[0]
    return 500 <= code < 600


def _explain(error: Exception) -> str:
    """Code and text of the answer."""
    code, text = _answer(error)
    words = f"{code} {text}" if code else f"{type(error).__name__} {error}"
    return ADDRESS.sub("<address>", words)[:LONGEST_ERROR]


def _answer(error: Exception) -> tuple[int, str]:
    """The server's code (0: none) and text."""
    code: int = 0
    text: bytes | str = ""
    if isinstance(error, smtplib.SMTPRecipientsRefused) and error.recipients:
        code, text = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, text = error.smtp_code, error.smtp_error
    return code, text.decode(errors="replace") if isinstance(text, bytes) else text
