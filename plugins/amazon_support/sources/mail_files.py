"""Mail from files (exports, history): .eml, folders of them, .mbox. The way of mail from IMAP, without a position."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection, Engine

from amazon_support.mail.archive import Archive
from amazon_support.sources.mail_landing import (
    Arrived,
    Place,
    Understood,
    headers_of,
    land,
    note_start,
    receiving_accounts,
    understand,
    without_copies_of_removed,
    without_removed,
)
from amazon_support.sources.mailbox import BATCH, BATCH_BYTES
from amazon_support.warehouse import run_step

LARGEST = 150_000_000  # bytes of one mail; what is larger is no mail
LINE = 1_000_000  # bytes read of a line at once
EARLIEST = datetime(1995, 1, 1, tzinfo=UTC)  # Amazon's first year: an older date is a clock set wrong
FILES = re.compile(r".*\.(eml|mbox)|mbox", re.IGNORECASE)
FIRST_LINE = re.compile(rb"(\xef\xbb\xbf)?\s*[!-9;-~]+[ \t]*:")
QUOTED_FROM = re.compile(rb">+From ")

Report = Callable[[str], None]


@dataclass(frozen=True)
class Imported:
    """What an import brought.

    Attributes:
        mails: landed now, by kind. known: landed before, left as they are. left_out: files and mails that could not
            be read.
    """

    batch_ids: list[int] = field(default_factory=list)
    mails: Counter[str] = field(default_factory=Counter)
    known: int = 0
    left_out: int = 0


def import_mail(
    engine: Engine,
    path: Path,
    archive: Archive,
    *,
    account: str,
    mailbox: str,
    buyer_key: str,
    live_since: datetime,
    now: datetime,
    tags: Mapping[str, str] | None = None,
    report: Report = lambda _: None,
    progress: Report = lambda _: None,
) -> Imported:
    """Lands every mail of a file or folder that was not landed before, in batches; may be stopped and begun again.

    Args:
        path: an .eml file, an .mbox file, or a folder with such, searched with all folders in it.
        mailbox: name under which the mails are filed.
        live_since: as in read_mailbox. now: aware UTC; no mail is received later.
        tags: as in settings.Mailbox.
        report: is told of every file or mail that is left out. progress: is told how far it is.

    Raises: ArchiveError if a mail cannot be kept.
    """
    place = Place(account, mailbox, path.resolve().name, uid_validity=0)
    left_out: list[None] = []

    def leave_out(what: str) -> None:
        left_out.append(None)
        report(what)

    with engine.begin() as connection:
        note_start(connection, receiving_accounts(account, tags or {}), live_since)
    done = Imported()
    for batch in _batches(_mails(path, now, leave_out)):
        with engine.connect() as connection:
            kept = without_removed(connection, batch)
        understood = understand(kept, archive, account, tags or {})
        with engine.begin() as connection:
            new = _new(connection, without_copies_of_removed(connection, archive, understood))
            done.batch_ids.extend(land(connection, place, new, buyer_key=buyer_key))
        done.mails.update(each.kind for each in new)
        done = replace(done, known=done.known + len(batch) - len(new), left_out=len(left_out))
        progress(f"{done.mails.total():,} mails landed, {done.known:,} known, {done.left_out:,} left out")
    return replace(done, left_out=len(left_out))


def _new(connection: Connection, understood: Sequence[Understood]) -> list[Understood]:
    """The mails that were not landed before, each once."""
    parameters = {
        "accounts": [each.account for each in understood],
        "mail_ids": [each.row.mail_id for each in understood],
    }
    known = {(row.account, row.mail_id) for row in run_step(connection, "land/mail_known.sql", parameters)}
    first: dict[tuple[str, str], Understood] = {}
    for each in understood:
        first.setdefault((each.account, each.row.mail_id), each)
    return [each for name, each in first.items() if name not in known]


def _batches(mails: Iterator[Arrived]) -> Iterator[list[Arrived]]:
    batch: list[Arrived] = []
    size = 0
    for mail in mails:
        if batch and (len(batch) == BATCH or size + len(mail.raw) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(mail)
        size += len(mail.raw)
    if batch:
        yield batch


# ---------- reading files


def _mails(path: Path, now: datetime, leave_out: Report) -> Iterator[Arrived]:
    number = 0
    for file in _files(path, leave_out):
        try:
            file_time = datetime.fromtimestamp(file.stat().st_mtime, UTC)
            for place, raw in enumerate(_contents(file), start=1):
                if trouble := _trouble(raw):
                    leave_out(f"{file}, mail {place}: {trouble}")
                    continue
                number += 1
                yield Arrived(number, _received_at(raw, file_time, now), raw)
        except OSError as error:
            leave_out(f"{file}: {error.strerror or type(error).__name__}")


def _files(path: Path, leave_out: Report) -> Iterator[Path]:
    """In the order of their names, so that the same files give the same order. Links to folders are not followed."""
    if not path.is_dir():
        yield path
        return
    for folder, folders, files in os.walk(path, onerror=lambda e: leave_out(f"{e.filename}: {e.strerror}")):
        folders.sort()
        yield from (Path(folder) / name for name in sorted(files) if FILES.fullmatch(name))


def _contents(file: Path) -> Iterator[bytes]:
    """The mails of one file, one at a time; of one that is too large, its beginning."""
    with file.open("rb") as stream:
        if stream.peek(5).startswith(b"From "):
            yield from _mbox(stream)
        else:
            yield stream.read(LARGEST + 1)


def _mbox(stream: BinaryIO) -> Iterator[bytes]:
    """The mails of an mbox file (RFC 4155): each begins at a line `From …`, the first one or after an empty line."""
    content, after_empty, at_start = bytearray(), True, True
    is_first = True
    for line in iter(partial(stream.readline, LINE), b""):
        if at_start and after_empty and line.startswith(b"From "):
            if not is_first:
                yield _without_separator(content)
            content, is_first = bytearray(), False
        elif len(content) <= LARGEST:
            content += line[1:] if at_start and QUOTED_FROM.match(line) else line
        after_empty = at_start and line in (b"\n", b"\r\n")
        at_start = line.endswith(b"\n")
    yield _without_separator(content)


def _without_separator(content: bytearray) -> bytes:
    for end in (b"\r\n", b"\n"):
        if content.endswith(end * 2):
            return bytes(content[: -len(end)])
    return bytes(content)


def _trouble(raw: bytes) -> str | None:
    """Why the bytes are no mail; None if they are one."""
    if len(raw) > LARGEST:
        return f"larger than {LARGEST // 1_000_000} MB"
    return None if FIRST_LINE.match(raw) else "no mail: it does not begin with a header"


def _received_at(raw: bytes, file_time: datetime, now: datetime) -> datetime:
    """When a server got it: the newest Received header, which stands first; else its Date; else the file's time."""
    headers = headers_of(raw)
    received = [str(value).rpartition(";")[2] for value in headers.get_all("Received", [])]
    for written in (*received, str(headers.get("Date", ""))):
        with suppress(ValueError, TypeError, OverflowError):
            moment = parsedate_to_datetime(written)
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
            if EARLIEST <= moment <= now:
                return moment
    return min(file_time, now)
