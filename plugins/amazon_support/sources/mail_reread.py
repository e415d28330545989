"""Reads archived mail again after a rule was changed: what means something else now is landed anew."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Engine

from amazon_support.mail.archive import Archive, ArchiveError
from amazon_support.settings import Account
from amazon_support.sources import mail_landing
from amazon_support.warehouse.land import MailRow, land_reread
from amazon_support.warehouse.land.mail import with_buyer
from amazon_support.warehouse.steps import sql_text
from amazon_support.window import Window

log = logging.getLogger(__name__)

TOGETHER = 500  # mails in memory


@dataclass(frozen=True)
class Reread:
    """What reading again brought: references and counts, fit for XCom.

    Attributes:
        mails: read; changed: those that mean something else now, and were landed.
        lost: mails that the archive no longer has, or cannot open. They stay as they were understood.
    """

    account: str
    batch_ids: list[int]
    mails: int
    changed: int
    lost: int


def reread(engine: Engine, account: Account, archive: Archive, window: Window, *, buyer_key: str) -> Reread:
    """Explains every mail received in the window by the rules of today, and lands those that mean something else.

    Nothing is answered differently until the batches are checked and published; safe to repeat.

    Args:
        window: aware UTC, of receipt.
        buyer_key: as at the first reading.
    """
    tags = {box.connection: box.tags for box in account.mailboxes}
    batch_ids: list[int] = []
    mails = changed = lost = 0
    landed_mails = _landed(engine, account.name, window)
    while some := list(islice(landed_mails, TOGETHER)):
        rows = []
        for landed in some:
            try:
                row = _read(landed, archive, account.name, tags.get(landed["mailbox"], {}))
            except ArchiveError as problem:
                log.warning("Account %s: %s", account.name, problem)
                lost += 1
                continue
            if _told(with_buyer(row.meaning, buyer_key)) != _told(landed["meaning"]):
                rows.append((landed, row))
        mails += len(some)
        changed += len(rows)
        if rows:
            with engine.begin() as connection:
                batch_ids.append(land_reread(connection, account=account.name, rows=rows, buyer_key=buyer_key))
    return Reread(account.name, batch_ids, mails, changed, lost)


def _told(meaning: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is not said: what was landed before there was a field means the same."""
    return {name: value for name, value in meaning.items() if value is not None}


def _landed(engine: Engine, account: str, window: Window) -> Iterator[dict[str, Any]]:
    parameters = {"account": account, "since": window.start, "until": window.end}
    with engine.connect() as connection:
        streaming = connection.execution_options(stream_results=True, yield_per=TOGETHER)
        for row in streaming.exec_driver_sql(sql_text("land/reread_sources.sql"), parameters).mappings():
            yield dict(row)


def _read(landed: Mapping[str, Any], archive: Archive, account: str, tags: Mapping[str, str]) -> MailRow:
    arrived = mail_landing.Arrived(landed["uid"], landed["received_at"], archive.get(landed["archived_as"]))
    understood = mail_landing.explained(arrived, landed["archived_as"], account, tags).row
    # The mail keeps its identity, however its Message-ID is read today.
    meaning = understood.meaning | {"mail_id": landed["mail_id"]}
    return MailRow(landed["mail_id"], landed["uid"], landed["received_at"], landed["archived_as"], meaning)
