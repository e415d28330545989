"""A mailbox is read once, from where it was left, without leaving a trace in it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from imapclient import IMAPClient
from sqlalchemy import Engine, text

from amazon_support import mail
from amazon_support.mail.archive import Archive
from amazon_support.sources.errors import BadCredentials, SourceError, Unavailable
from amazon_support.sources.mailbox import MailboxCredentials, MailRead, count_mails, open_mailbox, read_mailbox
from sandbox.mail_servers import ImapServer, imap_server
from sandbox.world import SandboxMail

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def letter(number: int, *, minutes: int = 0, raw: bytes | None = None) -> SandboxMail:
    message = EmailMessage()
    message["From"] = "abc123def456gh@marketplace.amazon.de"
    message["Subject"] = "Anfrage"
    message["Message-ID"] = f"<{number}@eu-west-1.amazonses.com>"
    message["Date"] = NOON
    message.set_content("Wo bleibt mein Paket?")
    return SandboxMail("shop", NOON + timedelta(minutes=minutes), raw or message.as_bytes())


@pytest.fixture
def server() -> Iterator[ImapServer]:
    with imap_server({"shop": [letter(1), letter(2)]}) as running:
        yield running


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive", "a secret for tests")


def credentials(server: ImapServer, **changes: object) -> MailboxCredentials:
    login = server.users["shop"]
    fields = {"host": server.host, "port": server.port, "user": login.user, "password": login.password}
    fields |= {"connection": "imap_shop", "account": "shop", "use_ssl": False, **changes}
    return MailboxCredentials(**fields)  # type: ignore[arg-type]


def read(warehouse: Engine, server: ImapServer, archive: Archive) -> MailRead:
    return read_mailbox(warehouse, credentials(server), ("INBOX",), archive, buyer_key="k")


def landed(warehouse: Engine) -> list[str]:
    query = "select meaning ->> 'message_id' from pii.mail_received order by batch_id, uid"
    with warehouse.connect() as connection:
        return [message_id.strip("<>").partition("@")[0] for message_id in connection.execute(text(query)).scalars()]


def test_every_mail_is_landed_once(warehouse: Engine, server: ImapServer, archive: Archive) -> None:
    assert read(warehouse, server, archive).mails == 2
    assert read(warehouse, server, archive).mails == 0
    server.deliver("shop", letter(3))
    assert read(warehouse, server, archive).mails == 1
    assert landed(warehouse) == ["1", "2", "3"]


def test_the_raw_mail_is_archived_and_its_arrival_kept(warehouse: Engine, server: ImapServer, archive: Archive) -> None:
    read(warehouse, server, archive)
    with warehouse.connect() as connection:
        rows = connection.execute(text("select archived_as, received_at from pii.mail_received order by uid")).all()
    assert [archive.get(name) for name, _ in rows] == [letter(1).raw, letter(2).raw]
    assert {received_at for _, received_at in rows} == {NOON}


def test_reading_leaves_no_trace_in_the_mailbox(warehouse: Engine, server: ImapServer, archive: Archive) -> None:
    read(warehouse, server, archive)
    access = credentials(server)
    with IMAPClient(access.host, access.port, ssl=False) as session:
        session.login(access.user, access.password)
        session.select_folder("INBOX", readonly=True)
        flags = session.get_flags(session.search())
    assert all(b"\\Seen" not in of_one for of_one in flags.values())


def test_a_mailbox_with_new_uids_is_read_again(warehouse: Engine, archive: Archive) -> None:
    for _ in range(2):
        with imap_server({"shop": [letter(1), letter(2)]}) as server:
            assert read(warehouse, server, archive).mails == 2
    assert landed(warehouse) == ["1", "2", "1", "2"], "publishing knows them for the same mails"


def test_an_interrupted_reading_goes_on_where_it_stopped(
    warehouse: Engine, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amazon_support.sources.mailbox.BATCH", 2)
    with imap_server({"shop": [letter(n) for n in range(5)]}) as server:
        kept, puts = archive.put, iter(range(3))

        def put_three(raw: bytes) -> str:
            next(puts)
            return kept(raw)

        monkeypatch.setattr(archive, "put", put_three)
        with pytest.raises(StopIteration):
            read(warehouse, server, archive)
        assert landed(warehouse) == ["0", "1"], "whole batches only"
        monkeypatch.setattr(archive, "put", kept)
        assert read(warehouse, server, archive).mails == 3
    assert landed(warehouse) == ["0", "1", "2", "3", "4"]


def test_a_broken_mail_stops_nothing(
    warehouse: Engine, server: ImapServer, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    understood = mail.explain

    def explain(raw: bytes, *, received_at: datetime) -> mail.MailFacts:
        if b"<1@" in raw:
            raise RecursionError
        return understood(raw, received_at=received_at)

    monkeypatch.setattr(mail, "explain", explain)
    result = read(warehouse, server, archive)
    assert (result.mails, result.unreadable) == (2, 1)
    with warehouse.connect() as connection:
        kinds = connection.execute(text("select meaning ->> 'kind' from pii.mail_received order by uid")).scalars()
        assert list(kinds)[0] == "unknown"


@pytest.mark.parametrize("raw", [b"", b"\0\0\0", b"no headers at all", b"Subject: x\r\n" * 1000])
def test_whatever_arrives_becomes_a_row(warehouse: Engine, archive: Archive, raw: bytes) -> None:
    with imap_server({"shop": [letter(1, raw=raw), letter(2)]}) as server:
        assert read(warehouse, server, archive).mails == 2


def test_a_refused_login_names_connection_and_account(server: ImapServer) -> None:
    with pytest.raises(BadCredentials, match="account shop, connection imap_shop") as caught:  # noqa: SIM117
        with open_mailbox(credentials(server, password="not-this-one")):
            pass
    assert "not-this-one" not in str(caught.value)


def test_a_server_that_does_not_answer_is_unavailable(server: ImapServer) -> None:
    with pytest.raises(Unavailable, match="cannot be reached"), open_mailbox(credentials(server, port=9)):
        pass


def test_a_folder_that_is_not_there_is_a_setting_to_correct(server: ImapServer) -> None:
    access = credentials(server)
    with open_mailbox(access) as session:
        assert count_mails(session, access, "INBOX") == 2
        with pytest.raises(SourceError, match=r"no folder 'Spam': correct `folders` in accounts\.yaml"):
            count_mails(session, access, "Spam")
