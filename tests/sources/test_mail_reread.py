"""Archived mail is read again by the rules of today."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from landing import BUYER_KEY, rows
from sqlalchemy import Engine, text

from amazon_support import settings
from amazon_support.mail.archive import Archive
from amazon_support.sources import mail_landing
from amazon_support.sources.mail_landing import Arrived, Place
from amazon_support.sources.mail_reread import reread
from amazon_support.window import Window

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
WINDOW = Window(NOON - timedelta(days=1), NOON + timedelta(days=1), live=False)
ACCOUNT = settings.Account(
    name="main", mailboxes=(settings.Mailbox(connection="imap_default", tags={"fr": "main/FR"}),)
)
RAW = b"""From: Mia - Amazon Marketplace <k2j4h6g8f1d3@marketplace.amazon.de>
To: support@shop.example
Subject: Anfrage von Amazon-Kunde Mia (Bestellung: 302-1234567-1234567)
Date: Tue, 10 Mar 2026 11:00:00 +0000
Message-ID: <%d@eu-west-1.amazonses.com>

Wo ist meine Teekanne?
"""


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive", "secret")


def arrive(
    warehouse: Engine, archive: Archive, *numbers: int, at: datetime = NOON, mailbox: str = "imap_default"
) -> None:
    """The mails come in, as the hourly job reads them."""
    arrived = [Arrived(number, at, RAW % number) for number in numbers]
    understood = mail_landing.understand(arrived, archive, "main", {})
    with warehouse.begin() as connection:
        mail_landing.land(connection, Place("main", mailbox, "INBOX", 1), understood, buyer_key=BUYER_KEY)


def misunderstand(warehouse: Engine, **meaning: Any) -> None:
    """As if older rules had read all mail."""
    import json

    with warehouse.begin() as connection:
        connection.execute(
            text("update pii.mail_received set meaning = meaning || cast(:wrong as jsonb)"),
            {"wrong": json.dumps(meaning)},
        )


def read_again(
    warehouse: Engine, archive: Archive, window: Window = WINDOW, account: settings.Account = ACCOUNT
) -> Any:
    return reread(warehouse, account, archive, window, buyer_key=BUYER_KEY)


def test_while_the_rules_are_the_same_nothing_is_landed(warehouse: Engine, archive: Archive) -> None:
    arrive(warehouse, archive, 1, 2)
    found = read_again(warehouse, archive)
    assert (found.mails, found.changed, found.lost, found.batch_ids) == (2, 0, 0, [])


def test_what_means_something_else_now_is_landed_anew(warehouse: Engine, archive: Archive) -> None:
    arrive(warehouse, archive, 1, 2)
    misunderstand(warehouse, kind="unknown", order_ids=[])
    found = read_again(warehouse, archive)
    assert (found.mails, found.changed) == (2, 2)
    with warehouse.begin() as connection:
        query = "select meaning ->> 'kind', uid, mailbox, folder from pii.mail_received where batch_id = any(:ids)"
        assert sorted(rows(connection, query, ids=found.batch_ids)) == [
            ("buyer_message", 1, "imap_default", "INBOX"),
            ("buyer_message", 2, "imap_default", "INBOX"),
        ]
        assert rows(connection, "select dataset, row_count from ops.batch order by batch_id")[-1] == ("mail_reread", 2)


def test_only_mail_received_in_the_window_is_read(warehouse: Engine, archive: Archive) -> None:
    arrive(warehouse, archive, 1, at=WINDOW.start - timedelta(seconds=1))
    arrive(warehouse, archive, 2, at=WINDOW.end)
    arrive(warehouse, archive, 3, at=WINDOW.start)
    assert read_again(warehouse, archive).mails == 1


def test_mail_that_the_archive_lost_stays_as_it_was(warehouse: Engine, archive: Archive) -> None:
    arrive(warehouse, archive, 1, 2)
    misunderstand(warehouse, kind="unknown")
    next(archive.folder.rglob("*.mail")).unlink()
    found = read_again(warehouse, archive)
    assert (found.mails, found.changed, found.lost) == (2, 1, 1)


def test_many_mails_are_landed_in_batches_of_bounded_size(
    warehouse: Engine, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amazon_support.sources.mail_reread.TOGETHER", 2)
    arrive(warehouse, archive, 1, 2, 3)
    misunderstand(warehouse, kind="unknown")
    found = read_again(warehouse, archive)
    assert (found.changed, len(found.batch_ids)) == (3, 2)
