"""Reads new mail of one mailbox by IMAP: archived raw, explained, landed. Changes nothing in it unless told to."""

import logging
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from imapclient import FLAGGED, IMAPClient
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError
from sqlalchemy import Connection, Engine

from amazon_support.mail.archive import Archive
from amazon_support.sources import positions
from amazon_support.sources.errors import BadCredentials, SourceError, Unavailable
from amazon_support.sources.mail_landing import (
    Arrived,
    Place,
    Understood,
    land,
    note_start,
    receiving_accounts,
    understand,
    without_copies_of_removed,
    without_removed,
)
from amazon_support.sources.mail_tokens import OAuth, access_token
from amazon_support.warehouse import run_step

log = logging.getLogger(__name__)

SOURCE = "mailbox"
# A transaction holds at most so much; a dropped connection loses no more reading than that, and memory is bounded.
BATCH = 200  # mails
BATCH_BYTES = 20_000_000  # a larger mail comes alone
SEARCHED = 80_000  # mails from which on UIDs are asked for in spans: imaplib refuses lines of more than 1 MB
TIMEOUT = 60  # seconds without an answer
WAITS = (1, 5, 25)  # seconds before each new connection; after so many in a row that brought nothing, we give up
DROPS = 2  # connections that may break at one mail, fetched alone, before it is passed over
ATTEMPTS = 5  # readings that ask for a mail the server did not give; then a person must look

Failures = dict[int, str]  # reason by UID


@dataclass(frozen=True)
class MailboxCredentials:
    """Access to one mailbox, as an Airflow connection of type imap holds it. With `oauth` the password is not used."""

    connection: str
    account: str
    host: str
    port: int
    user: str = field(repr=False)
    password: str = field(repr=False)
    use_ssl: bool = True
    oauth: OAuth | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"account {self.account}, connection {self.connection}"


@dataclass(frozen=True)
class MailRead:
    """What one reading brought: references and counts, fit for XCom.

    Attributes:
        unreadable: of the mails, those that nobody understands. failed: that the server did not give.
    """

    account: str
    mailbox: str
    batch_ids: list[int]
    mails: int
    unreadable: int
    failed: int


# ---------- the session


@contextmanager
def open_mailbox(credentials: MailboxCredentials) -> Iterator[IMAPClient]:
    """A logged-in session.

    Raises: BadCredentials if the server refuses the login, Unavailable if it cannot be reached.
    """
    context = ssl.create_default_context() if credentials.use_ssl else None
    token = access_token(credentials.oauth, str(credentials)) if credentials.oauth else None
    with _talking(credentials, "cannot be reached; check host, port and TLS"):
        session = IMAPClient(
            credentials.host, credentials.port, ssl=credentials.use_ssl, ssl_context=context, timeout=TIMEOUT
        )
        session.normalise_times = False  # keep each time's own zone
    try:
        with _talking(credentials):
            _login(session, credentials, token)
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


def _broken_off(credentials: MailboxCredentials, error: Exception) -> Unavailable:
    return Unavailable(f"The mail server of {credentials} broke off ({type(error).__name__}).")


def _login(session: IMAPClient, credentials: MailboxCredentials, token: str | None) -> None:
    try:
        if token:
            session.oauth2_login(credentials.user, token)
        else:
            session.login(credentials.user, credentials.password)
    except LoginError as error:
        if isinstance(error.__context__, IMAPClientAbortError):
            raise Unavailable(f"The mail server of {credentials} broke off at the login.") from None
        advice = (
            "check that the user is the one who signed in, and that the consent covers IMAP "
            "(https://mail.google.com/ or IMAP.AccessAsUser.All)."
            if token
            else "check user and password (Gmail and Outlook want an app password, or XOAUTH2)."
        )
        raise BadCredentials(f"The mail server refuses the login of {credentials}: {advice}") from None


def count_mails(session: IMAPClient, credentials: MailboxCredentials, folder: str) -> int:
    """How many mails the folder holds.

    Raises: SourceError if there is no such folder.
    """
    name = _folder_name(session, credentials, folder)
    return int(_select(session, credentials, name)[b"EXISTS"])


def _folder_name(session: IMAPClient, credentials: MailboxCredentials, folder: str) -> str:
    r"""The folder's name; of a special use such as \Junk (RFC 6154) the server tells it."""
    if not folder.startswith("\\"):
        return folder
    with _talking(credentials):
        name = session.find_special_folder(folder.encode())
    if name is None:
        raise SourceError(
            f"The mailbox of {credentials} has no folder for {folder}: name it in `folders` in accounts.yaml, or "
            "leave it out."
        )
    return str(name)


def _select(session: IMAPClient, credentials: MailboxCredentials, folder: str) -> dict[bytes, Any]:
    """Opens the folder for reading only; returns what the server says of it."""
    try:
        state: dict[bytes, Any] = session.select_folder(folder, readonly=True)
        return state
    except (OSError, IMAPClientAbortError) as error:
        raise _broken_off(credentials, error) from error
    except IMAPClientError as error:
        raise SourceError(
            f"The mailbox of {credentials} has no folder {folder!r}: correct `folders` in accounts.yaml."
        ) from error


# ---------- reading


def read_mailbox(
    engine: Engine,
    credentials: MailboxCredentials,
    folders: Sequence[str],
    archive: Archive,
    *,
    buyer_key: str,
    live_since: datetime | None = None,
    tags: Mapping[str, str] | None = None,
    mark: Mapping[str, str] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> MailRead:
    """Lands every mail that arrived since the last reading.

    Each batch of mails and the position behind it are committed together, so an interrupted reading goes on
    where it stopped; a dropped connection is made again. A changed UIDVALIDITY makes all UIDs new: the folder is
    read again, and the mails' own identity keeps them from counting twice. A mail that the server does not give is
    noted in ops.mail_failure and asked for again by the next readings, ATTEMPTS in all.

    Args:
        folders: by name, or special use such as \\Junk.
        archive: where the raw mail is kept before anything is made of it.
        buyer_key: secret for the keyed hash that tells buyers apart without naming them.
        live_since: aware UTC; mail before it makes nobody late. It counts at the first reading of an account's mail
            and is kept. None: noted by nobody, all mail counts.
        tags, mark: as in settings.Mailbox.

    Raises: BadCredentials, Unavailable, SourceError if there is no such folder, ArchiveError.
    """
    reading = _Reading(engine, credentials, archive, buyer_key, tags or {}, mark or {}, sleep)
    if live_since:
        with engine.begin() as connection:
            note_start(connection, receiving_accounts(credentials.account, reading.tags), live_since)
    reading.read(folders)
    return MailRead(
        account=credentials.account,
        mailbox=credentials.connection,
        batch_ids=reading.batch_ids,
        mails=reading.counts["mails"],
        unreadable=reading.counts["unreadable"],
        failed=reading.counts["failed"],
    )


@dataclass
class _Reading:
    """One reading of one mailbox, over as many connections as it takes."""

    engine: Engine
    credentials: MailboxCredentials
    archive: Archive
    buyer_key: str
    tags: Mapping[str, str]
    mark: Mapping[str, str]
    sleep: Callable[[float], None]
    batch_ids: list[int] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    commits: int = 0
    suspects: set[tuple[Place, int]] = field(default_factory=set)  # of a batch at which a connection broke
    drops: Counter[tuple[Place, int]] = field(default_factory=Counter)  # at a mail that was fetched alone
    asked_again: set[tuple[Place, int]] = field(default_factory=set)

    def read(self, folders: Sequence[str]) -> None:
        in_vain = 0
        while True:
            before, began_at = self.commits, datetime.now(UTC)  # book-keeping: the wall clock
            try:
                with open_mailbox(self.credentials) as session:
                    for folder in folders:
                        self._read_folder(session, _folder_name(session, self.credentials, folder))
                with self.engine.begin() as connection:
                    account, mailbox = self.credentials.account, self.credentials.connection
                    positions.note_read(connection, account, SOURCE, mailbox, read_at=began_at)
                return
            except Unavailable as error:
                in_vain = in_vain + 1 if self.commits == before else 1
                if in_vain > len(WAITS):
                    raise
                log.warning("%s Connecting again in %d s.", error, WAITS[in_vain - 1])
                self.sleep(WAITS[in_vain - 1])

    def _read_folder(self, session: IMAPClient, folder: str) -> None:
        state = _select(session, self.credentials, folder)
        uid_validity = int(state[b"UIDVALIDITY"])
        place = Place(self.credentials.account, self.credentials.connection, folder, uid_validity)
        with self.engine.begin() as connection:
            position = positions.position(connection, place.account, SOURCE, _scope(place)) or {}
            failed = run_step(connection, "land/mail_failures.sql", asdict(place)).all()
        last_uid = position.get("last_uid", 0) if position.get("uid_validity") == uid_validity else 0
        uids = self._new_uids(session, last_uid, state)
        for some in self._batches(session, place, uids):
            self._take(session, place, some, move=True)
        for failure in failed:
            if failure.attempts < ATTEMPTS and (place, failure.uid) not in self.asked_again:
                self._take(session, place, [failure.uid], move=False)
                self.asked_again.add((place, failure.uid))

    def _new_uids(self, session: IMAPClient, last_uid: int, state: Mapping[bytes, Any]) -> list[int]:
        spans = [f"{last_uid + 1}:*"]
        if state[b"EXISTS"] > SEARCHED and b"UIDNEXT" in state:
            firsts = range(last_uid + 1, state[b"UIDNEXT"], SEARCHED)
            spans = [f"{first}:{first + SEARCHED - 1}" for first in firsts]
        with _talking(self.credentials):
            found = [uid for span in spans for uid in session.search(["UID", span])]
        # `n:*` names the last mail even when its UID is below n.
        return sorted(uid for uid in found if uid > last_uid)

    def _batches(self, session: IMAPClient, place: Place, uids: Sequence[int]) -> Iterator[list[int]]:
        """UIDs whose mails may be fetched at once. A mail at which a connection broke is fetched alone."""
        for first in range(0, len(uids), BATCH):
            some = uids[first : first + BATCH]
            sizes = self._sizes(session, some)
            batch: list[int] = []
            size = 0
            for uid in some:
                own_size = BATCH_BYTES if (place, uid) in self.suspects else sizes.get(uid, BATCH_BYTES)
                if batch and size + own_size > BATCH_BYTES:
                    yield batch
                    batch, size = [], 0
                batch.append(uid)
                size += own_size
            yield batch

    def _sizes(self, session: IMAPClient, uids: Sequence[int]) -> dict[int, int]:
        """Bytes of each mail, as far as the server says."""
        try:
            answers = session.fetch(uids, ["RFC822.SIZE"])
        except (OSError, IMAPClientAbortError) as error:
            raise _broken_off(self.credentials, error) from error
        except IMAPClientError:
            return {}
        return {uid: answer[b"RFC822.SIZE"] for uid, answer in answers.items() if b"RFC822.SIZE" in answer}

    def _take(self, session: IMAPClient, place: Place, uids: list[int], *, move: bool) -> None:
        """Fetches, archives, explains and lands the mails. move: the position goes behind them."""
        arrived, failures = self._fetch(session, place, uids)
        with self.engine.connect() as connection:
            arrived = without_removed(connection, arrived)
        mails = understand(arrived, self.archive, place.account, self.tags)
        with self.engine.begin() as connection:
            mails = without_copies_of_removed(connection, self.archive, mails)
            batch_ids = land(connection, place, mails, buyer_key=self.buyer_key)
            self._note_failures(connection, place, uids, failures)
            if move:
                to = {"uid_validity": place.uid_validity, "last_uid": uids[-1]}
                positions.move(connection, place.account, SOURCE, _scope(place), to)
        self.commits += 1
        self.batch_ids += batch_ids
        self.counts["mails"] += len(mails)
        self.counts["unreadable"] += sum(each.is_unreadable for each in mails)
        self.counts["failed"] += len(failures)
        self._mark(session, place, mails)

    def _note_failures(self, connection: Connection, place: Place, uids: Sequence[int], failures: Failures) -> None:
        mended = [uid for uid in uids if uid not in failures]
        run_step(connection, "land/mail_failures_mended.sql", {**asdict(place), "mended": mended})
        for uid, reason in failures.items():
            log.warning("Mail %d in %s of %s: %s.", uid, place.folder, self.credentials, reason)
            run_step(connection, "land/mail_failure.sql", {**asdict(place), "uid": uid, "reason": reason})

    def _fetch(self, session: IMAPClient, place: Place, uids: list[int]) -> tuple[list[Arrived], Failures]:
        """The mails, and why others were not given. A mail that is no longer there is neither."""
        answers, reason = self._ask(session, place, uids)
        arrived = [_arrived(uid, answers[uid]) for uid in uids if _is_whole(answers.get(uid))]
        missing = [uid for uid in uids if not _is_whole(answers.get(uid))]
        if len(uids) == 1:
            return arrived, {uid: reason for uid in missing if self._is_there(session, uid)}
        failures: Failures = {}
        for uid in missing:  # once more, each alone: a broken mail must not take others with it
            alone, failed = self._fetch(session, place, [uid])
            arrived += alone
            failures |= failed
        return sorted(arrived, key=lambda each: each.uid), failures

    def _ask(self, session: IMAPClient, place: Place, uids: list[int]) -> tuple[dict[int, dict[bytes, Any]], str]:
        """The server's answers by UID, and what is wrong with those that are missing or have no contents."""
        if len(uids) == 1 and self.drops[place, uids[0]] >= DROPS:
            return {}, "the connection breaks at it"
        try:
            return session.fetch(uids, ["BODY.PEEK[]", "INTERNALDATE"]), "the server gives no contents"
        except (OSError, IMAPClientAbortError) as error:
            self.suspects.update((place, uid) for uid in uids)
            if len(uids) == 1:  # one of many is not to blame for a line that breaks
                self.drops[place, uids[0]] += 1
            raise _broken_off(self.credentials, error) from error
        except IMAPClientError:
            return {}, "the server refuses it"

    def _is_there(self, session: IMAPClient, uid: int) -> bool:
        with _talking(self.credentials):
            return uid in session.search(["UID", str(uid)])

    def _mark(self, session: IMAPClient, place: Place, mails: Sequence[Understood]) -> None:
        """Marks what is landed, as the settings say. What cannot be marked stays as it is; the reading goes on."""
        wanted: dict[str, list[int]] = {}
        for each in mails:
            how = self.mark.get(each.kind)
            if how and how != f"move:{place.folder}":
                wanted.setdefault(how, []).append(each.row.uid)
        if not wanted:
            return
        try:
            session.select_folder(place.folder)
            for how, uids in wanted.items():
                if how == "flag":
                    session.add_flags(uids, [FLAGGED], silent=True)
                else:
                    session.move(uids, how.removeprefix("move:"))
        except (OSError, IMAPClientError) as error:
            log.warning("Mails of %s cannot be marked (%s): see `mark`.", self.credentials, type(error).__name__)
        _select(session, self.credentials, place.folder)


def _arrived(uid: int, answer: Mapping[bytes, Any]) -> Arrived:
    return Arrived(uid, answer[b"INTERNALDATE"].astimezone(UTC), answer[b"BODY[]"])


def _is_whole(answer: Mapping[bytes, Any] | None) -> bool:
    """Whether contents and arrival are there; contents may be empty."""
    return answer is not None and answer.get(b"BODY[]") is not None and answer.get(b"INTERNALDATE") is not None


def _scope(place: Place) -> str:
    return f"{place.mailbox}/{place.folder}"
