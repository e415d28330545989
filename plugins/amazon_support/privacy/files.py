"""What is removed outside of the warehouse: archived mail, worklist files, reports that a killed pull left."""

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection

from amazon_support.mail.archive import Archive
from amazon_support.warehouse import run_step

TOGETHER = 1000  # files a transaction
REMOVERS = 8  # files removed at once: an object store answers slowly
WORKLIST = re.compile(r"worklist-(\d{8}T\d{4}Z)-.*\.(csv|html)")


def remove_archived(connection: Connection, archive: Archive) -> int:
    """Takes the files of removed mails out of the archive, those that a killed removal left, too. Returns how many.

    Raises: ArchiveError if one cannot be taken out.
    """
    removed = 0
    while True:
        with connection.begin():
            waiting = run_step(connection, "privacy/files_waiting.sql", {"together": TOGETHER}).all()
            if not waiting:
                return removed
            removed += _remove(archive, {name for mail in waiting for name in mail.names})
            done = {
                "run_ids": [mail.run_id for mail in waiting],
                "accounts": [mail.account for mail in waiting],
                "keys": [mail.key for mail in waiting],
            }
            run_step(connection, "privacy/files_removed.sql", done | {"files_removed_at": datetime.now(UTC)})


def remove_strays(connection: Connection, archive: Archive, *, as_of: datetime, kept: timedelta) -> int:
    """Takes files out that no landed mail has: somebody was killed between archiving and landing. Also files of removed
    mails that came back: somebody was sealing the archive anew meanwhile.

    Each call looks at one sixteenth of the archive, by the day of `as_of`, so that a night costs little.

    Args:
        kept: younger files are left alone.

    Returns: how many. Raises: ArchiveError if one cannot be taken out.
    """
    before, removed = (as_of - kept).timestamp(), 0
    for unfinished in archive.unfinished(as_of - kept):
        unfinished.unlink(missing_ok=True)
        removed += 1
    names = archive.names(f"{as_of.toordinal() % 16:x}")
    while some := list(islice(names, TOGETHER)):
        with connection.begin():
            unknown = run_step(connection, "privacy/files_unknown.sql", {"names": some}).all()
        old = (file.name for file in unknown if file.is_removed or archive.kept_since(file.name) < before)
        removed += _remove(archive, old)
    return removed


def remove_worklists(folder: Path, *, before: datetime) -> int:
    """Deletes worklist files of hours before then, by their names. Returns how many."""
    files = ((file, WORKLIST.fullmatch(file.name)) for file in _files(folder))
    return _unlink(file for file, told in files if told and _hour(told[1]) < before)


def remove_reports(folder: Path, *, before: datetime) -> int:
    """Deletes files of reports that were written before then: whoever was reading them is gone. Returns how many."""
    return _unlink(file for file in _files(folder) if file.stat().st_mtime < before.timestamp())


def _remove(archive: Archive, names: Iterable[str]) -> int:
    with ThreadPoolExecutor(REMOVERS) as removers:
        return sum(removers.map(archive.remove, names))


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in folder.rglob("*") if file.is_file()) if folder.is_dir() else iter(())


def _hour(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%MZ").replace(tzinfo=UTC)


def _unlink(files: Iterable[Path]) -> int:
    count = 0
    for file in list(files):
        file.unlink(missing_ok=True)
        count += 1
    return count
