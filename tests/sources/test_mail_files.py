"""Mail from files lands as mail from IMAP does, each mail once, whatever else lies beside it."""

import mailbox
import os
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from amazon_support.mail.archive import Archive
from amazon_support.sources.mail_files import Imported, import_mail
from amazon_support.sources.mailbox import MailboxCredentials, read_mailbox
from sandbox.mail_servers import imap_server
from sandbox.world import SandboxMail

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def letter(name: str, *, body: str = "Wo bleibt mein Paket?", **headers: str) -> bytes:
    message = EmailMessage()
    message["From"] = "abc123def456gh@marketplace.amazon.de"
    message["Subject"] = "Anfrage"
    message["Message-ID"] = f"<{name}@eu-west-1.amazonses.com>"
    for header, value in headers.items():
        message[header] = value
    message.set_content(body)
    return message.as_bytes()


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive", "a secret for tests")


@pytest.fixture
def export(tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    folder.mkdir()
    return folder


@pytest.fixture
def bring(warehouse: Engine, archive: Archive, export: Path) -> Any:
    """Imports what is in the export."""

    def run(path: Path = export, **options: Any) -> Imported:
        given = {"account": "shop", "mailbox": "old", "buyer_key": "k", "now": NOON, "live_since": NOON} | options
        return import_mail(warehouse, path, archive, **given)

    return run


def landed(warehouse: Engine, column: str = "meaning ->> 'message_id'") -> list[Any]:
    with warehouse.connect() as connection:
        values = connection.execute(text(f"select {column} from pii.mail_received order by batch_id, uid")).scalars()
        return [value.strip("<>").partition("@")[0] if isinstance(value, str) else value for value in values]


def mbox(file: Path, *mails: bytes) -> Path:
    box = mailbox.mbox(file)
    for raw in mails:
        box.add(raw)
    box.close()
    return file


# ---------- which mails


def test_a_folder_is_searched_with_all_folders_in_it(bring: Any, warehouse: Engine, export: Path) -> None:
    (export / "2025" / "spring").mkdir(parents=True)
    (export / "b.eml").write_bytes(letter("b"))
    (export / "2025" / "spring" / "A.EML").write_bytes(letter("a"))
    (export / "notes.txt").write_bytes(letter("no"))
    mbox(export / "2025" / "c.mbox", letter("c1"), letter("c2"))
    mbox(export / "mbox", letter("d"))
    result = bring()
    assert (result.mails.total(), result.left_out) == (5, 0)
    assert sorted(landed(warehouse)) == ["a", "b", "c1", "c2", "d"]
    assert set(landed(warehouse, "mailbox || '/' || folder")) == {"old/export"}


@pytest.mark.parametrize("make", [lambda file, raw: file.write_bytes(raw), mbox], ids=["eml", "mbox"])
def test_one_file_may_have_any_name(bring: Any, warehouse: Engine, export: Path, make: Any) -> None:
    make(export / "some file", letter("one"))
    assert bring(export / "some file").mails == {"buyer_message": 1}
    assert landed(warehouse) == ["one"]


def test_a_mail_comes_out_of_an_mbox_as_it_went_in(
    bring: Any, archive: Archive, warehouse: Engine, export: Path
) -> None:
    raws = [letter("1", body="From me to you\n\nFrom here\nand there"), letter("2"), letter("3", body="")]
    mbox(export / "x.mbox", *raws)
    bring()
    assert [archive.get(name) for name in landed(warehouse, "archived_as")] == raws


def test_lines_of_any_length_are_read(bring: Any, archive: Archive, warehouse: Engine, export: Path) -> None:
    raw = b"Message-ID: <long@a.example>\n\n" + b"x" * 2_500_000 + b"From \n"
    (export / "x.mbox").write_bytes(b"From a@b.example Sun Mar  1 12:00:00 2026\n" + raw + b"\n")
    bring()
    assert [archive.get(name) for name in landed(warehouse, "archived_as")] == [raw]


# ---------- each once


def test_importing_again_changes_nothing(bring: Any, warehouse: Engine, export: Path) -> None:
    mbox(export / "x.mbox", letter("1"), letter("2"), letter("1"))
    assert (bring().mails.total(), bring().known) == (2, 3)
    (export / "y.eml").write_bytes(letter("3"))
    assert bring().mails.total() == 1
    assert sorted(landed(warehouse)) == ["1", "2", "3"]


def test_an_import_that_was_killed_goes_on(
    bring: Any, warehouse: Engine, export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amazon_support.sources.mail_files.BATCH", 2)
    mbox(export / "x.mbox", *[letter(str(number)) for number in range(5)])

    def killed(message: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring(progress=killed)
    assert landed(warehouse) == ["0", "1"]
    assert bring().mails.total() == 3
    assert landed(warehouse) == ["0", "1", "2", "3", "4"]


def test_what_came_by_imap_is_known(bring: Any, warehouse: Engine, archive: Archive, export: Path) -> None:
    (export / "x.eml").write_bytes(letter("1"))
    with imap_server({"shop": [SandboxMail("shop", NOON, letter("1"))]}) as server:
        login = server.users["shop"]
        access = MailboxCredentials("imap", "shop", server.host, server.port, login.user, login.password, use_ssl=False)
        read_mailbox(warehouse, access, ("INBOX",), archive, buyer_key="k")
    assert (bring().known, landed(warehouse)) == (1, ["1"])
    assert bring(account="other").mails.total() == 1, "another account has it not"


# ---------- what is no mail


def test_bad_files_are_reported_and_left_out(
    bring: Any, warehouse: Engine, export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amazon_support.sources.mail_files.LARGEST", 5000)
    (export / "a.eml").write_bytes(b"\x89PNG\r\n\x1a\n")
    (export / "b.eml").write_bytes(b"")
    (export / "c.eml").symlink_to(export / "nowhere")
    (export / "d.eml").write_bytes(letter("d", body="x " * 4000))
    mbox(export / "e.mbox", letter("e1"), letter("e2", body="x " * 4000), letter("e3"))
    (export / "f.eml").write_bytes(letter("f"))
    reports: list[str] = []
    assert bring(report=reports.append).left_out == 5
    assert landed(warehouse) == ["e1", "e3", "f"]
    assert [line.removeprefix(f"{export}/") for line in reports] == [
        "a.eml, mail 1: no mail: it does not begin with a header",
        "b.eml, mail 1: no mail: it does not begin with a header",
        "c.eml: No such file or directory",
        "d.eml, mail 1: larger than 0 MB",
        "e.mbox, mail 2: larger than 0 MB",
    ]


def test_a_batch_is_bounded_in_mails_and_bytes(bring: Any, export: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amazon_support.sources.mail_files.BATCH", 3)
    monkeypatch.setattr("amazon_support.sources.mail_files.BATCH_BYTES", 2000)
    sizes = [10, 10, 10, 10, 5000, 10]
    mbox(export / "x.mbox", *[letter(str(number), body="x" * size) for number, size in enumerate(sizes)])
    assert len(bring().batch_ids) == 4


# ---------- when it was received

EARLY, LATE, NEVER = "Thu, 26 Feb 2026 10:00:00 +0100", "Thu, 26 Feb 2026 12:00:00 +0100", "Sun, 01 Mar 2099 10:00:00 Z"


@pytest.mark.parametrize(
    ("headers", "hour"),
    [
        ([("Received", f"from a by b; {LATE}"), ("Received", f"from c by a; {EARLY}"), ("Date", EARLY)], 11),
        ([("Received", f"from a by b; {NEVER}"), ("Received", f"from c by a; {EARLY}"), ("Date", LATE)], 9),
        ([("Received", "from a by b"), ("Date", LATE)], 11),
        ([("Date", "Thu, 26 Feb 2026 12:00:00 -0000")], 12),
        ([("Date", NEVER)], 8),
        ([("Date", "Thu, 01 Jan 1970 00:00:00 +0000")], 8),
        ([("Date", "Thu, 99 Feb 2026 99:00:00 +0100")], 8),
        ([], 8),
    ],
    ids=["newest Received", "Received in the future", "Received without time", "no zone", "future", "1970", "none",
         "no headers"],
)  # fmt: skip
def test_the_time_of_receipt_is_bounded(
    bring: Any, warehouse: Engine, export: Path, headers: list[tuple[str, str]], hour: int
) -> None:
    lines = [f"{name}: {value}" for name, value in headers]
    file = export / "x.eml"
    file.write_bytes("\n".join([*lines, "Subject: x", "", "x"]).encode())
    saved = datetime(2026, 2, 26, 8, tzinfo=UTC).timestamp()
    os.utime(file, (saved, saved))
    bring()
    assert landed(warehouse, "received_at") == [datetime(2026, 2, 26, hour, tzinfo=UTC)]


def test_a_file_saved_in_the_future_was_received_by_now(bring: Any, warehouse: Engine, export: Path) -> None:
    (export / "x.eml").write_bytes(b"Subject: x\n\nx")
    bring(now=NOON - timedelta(days=3000))
    assert landed(warehouse, "received_at") == [NOON - timedelta(days=3000)]


# ---------- whose it is


def test_tags_and_the_accounts_start_count_as_for_imap(bring: Any, warehouse: Engine, export: Path) -> None:
    mbox(export / "x.mbox", letter("1", To="support+outlet@shop.example"), letter("2"))
    bring(tags={"outlet": "outlet"}, live_since=NOON - timedelta(days=14))
    assert sorted(landed(warehouse, "account")) == ["outlet", "shop"]
    with warehouse.connect() as connection:
        starts = connection.execute(text("select account, live_since from core.account_start order by account")).all()
    assert [tuple(start) for start in starts] == [(name, NOON - timedelta(days=14)) for name in ("outlet", "shop")]
