"""Reads new mail of one mailbox by IMAP: archived raw, explained, landed. Never marks, moves or deletes a mail."""

import logging
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError, LoginError
from sqlalchemy import Engine

from amazon_support import mail
from amazon_support.mail.archive import Archive
from amazon_support.sources import positions
from amazon_support.sources.errors import BadCredentials, SourceError, Unavailable
from amazon_support.warehouse.land import MailRow, land_mail

log = logging.getLogger(__name__)

SOURCE = "mailbox"
BATCH = 200  # mails a transaction; a dropped connection loses at most this much reading
TIMEOUT = 60  # seconds without an answer


@dataclass(frozen=True)
class MailboxCredentials:
    """Access to one mailbox, as an Airflow connection of type imap holds it."""

    connection: str
    account: str
    host: str
    port: int
    user: str = field(repr=False)
    password: str = field(repr=False)
    use_ssl: bool = True

    def __str__(self) -> str:
        return f"account {self.account}, connection {self.connection}"


@dataclass(frozen=True)
class MailRead:
    """What one reading brought: references and counts, fit for XCom."""

    account: str
    mailbox: str
    batch_ids: list[int]
    mails: int
    unreadable: int


@contextmanager
def open_mailbox(credentials: MailboxCredentials) -> Iterator[IMAPClient]:
    """A logged-in session.

    Raises: BadCredentials if the server refuses the login, Unavailable if it cannot be reached.
    """
    context = ssl.create_default_context() if credentials.use_ssl else None
    with _talking(credentials, "cannot be reached; check host, port and TLS"):
        session = IMAPClient(
            credentials.host, credentials.port, ssl=credentials.use_ssl, ssl_context=context, timeout=TIMEOUT
        )
        session.normalise_times = False  # keep each time's own zone
    try:
        with _talking(credentials):
            _login(session, credentials)
        yield session
    finally:
        with suppress(OSError, IMAPClientError):
            session.logout()


@contextmanager
def _talking(credentials: MailboxCredentials, trouble: str = "broke off") -> Iterator[None]:
    try:
        yield
    except (OSError, IMAPClientError) as error:
        raise Unavailable(f"The mail server of {credentials} {trouble} ({type(error).__name__}).") from error


def _login(session: IMAPClient, credentials: MailboxCredentials) -> None:
    try:
        session.login(credentials.user, credentials.password)
    except LoginError:
        raise BadCredentials(
            f"The mail server refuses the login of {credentials}: check user and password "
            "(Gmail and Outlook want an app password)."
        ) from None


def read_mailbox(
    engine: Engine,
    credentials: MailboxCredentials,
    folders: tuple[str, ...],
    archive: Archive,
    *,
    buyer_key: str,
) -> MailRead:
    """Lands every mail that arrived since the last reading.

    Each batch of mails and the position behind it are committed together, so an interrupted reading goes on
    where it stopped. A changed UIDVALIDITY makes all UIDs new: the folder is read again, and the mails' own
    identity keeps them from counting twice.

    Args:
        archive: where the raw mail is kept before anything is made of it.
        buyer_key: secret for the keyed hash that tells buyers apart without naming them.
    """
    batch_ids: list[int] = []
    mails = unreadable = 0
    with open_mailbox(credentials) as session:
        for folder in folders:
            for batch in _new_mail(engine, session, credentials, folder):
                rows = [_row(raw, uid, received_at, archive) for uid, received_at, raw in batch.mails]
                unreadable += sum("failed:reading" in row.meaning["signals"] for row in rows)
                mails += len(rows)
                with engine.begin() as connection:
                    batch_ids.append(
                        land_mail(
                            connection,
                            account=credentials.account,
                            mailbox=credentials.connection,
                            folder=folder,
                            uid_validity=batch.uid_validity,
                            rows=rows,
                            buyer_key=buyer_key,
                        )
                    )
                    to = {"uid_validity": batch.uid_validity, "last_uid": batch.last_uid}
                    positions.move(connection, credentials.account, SOURCE, _scope(credentials, folder), to)
    return MailRead(credentials.account, credentials.connection, batch_ids, mails, unreadable)


def count_mails(session: IMAPClient, credentials: MailboxCredentials, folder: str) -> int:
    """How many mails the folder holds.

    Raises: SourceError if there is no such folder.
    """
    _select(session, credentials, folder)
    with _talking(credentials):
        return int(session.folder_status(folder, ["MESSAGES"])[b"MESSAGES"])


@dataclass(frozen=True)
class _Batch:
    uid_validity: int
    last_uid: int
    mails: list[tuple[int, datetime, bytes]]


def _new_mail(engine: Engine, session: IMAPClient, credentials: MailboxCredentials, folder: str) -> Iterator[_Batch]:
    uid_validity = _select(session, credentials, folder)
    with engine.begin() as connection:
        mark = positions.position(connection, credentials.account, SOURCE, _scope(credentials, folder)) or {}
    last_uid = mark.get("last_uid", 0) if mark.get("uid_validity") == uid_validity else 0
    with _talking(credentials):
        # `n:*` names the last mail even when its UID is below n.
        uids = sorted(uid for uid in session.search(["UID", f"{last_uid + 1}:*"]) if uid > last_uid)
    for first in range(0, len(uids), BATCH):
        some = uids[first : first + BATCH]
        with _talking(credentials):
            answers = session.fetch(some, ["BODY.PEEK[]", "INTERNALDATE"])
        yield _Batch(uid_validity, some[-1], [_fetched(uid, answers[uid]) for uid in some if uid in answers])


def _select(session: IMAPClient, credentials: MailboxCredentials, folder: str) -> int:
    try:
        return int(session.select_folder(folder, readonly=True)[b"UIDVALIDITY"])
    except IMAPClientError as error:
        raise SourceError(
            f"The mailbox of {credentials} has no folder {folder!r}: correct `folders` in accounts.yaml."
        ) from error


def _fetched(uid: int, answer: dict[bytes, Any]) -> tuple[int, datetime, bytes]:
    return uid, answer[b"INTERNALDATE"].astimezone(UTC), answer.get(b"BODY[]") or b""


def _scope(credentials: MailboxCredentials, folder: str) -> str:
    return f"{credentials.connection}/{folder}"


def _row(raw: bytes, uid: int, received_at: datetime, archive: Archive) -> MailRow:
    name = archive.put(raw)
    meaning = _understand(mail.explain, raw, received_at, name)
    return MailRow(mail_id=meaning["mail_id"], uid=uid, received_at=received_at, archived_as=name, meaning=meaning)


def _understand(explain: Callable[..., mail.MailFacts], raw: bytes, received_at: datetime, name: str) -> dict[str, Any]:
    try:
        return explain(raw, received_at=received_at).model_dump(mode="json")
    except Exception as error:
        # One mail must not stop the rest; it is in the archive and becomes a ticket for a person.
        log.warning("Mail archived as %s cannot be read (%s); a person must look.", name, type(error).__name__)
        return mail.unreadable(name, received_at).model_dump(mode="json")
