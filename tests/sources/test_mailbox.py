"""A mailbox is read once, from where it was left, without leaving a trace in it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from imapclient import IMAPClient
from sqlalchemy import Engine, text

from amazon_support import mail
from amazon_support.mail.archive import Archive, ArchiveError
from amazon_support.sources.errors import BadCredentials, SourceError, Unavailable
from amazon_support.sources.mail_tokens import OAuth
from amazon_support.sources.mailbox import MailboxCredentials, MailRead, count_mails, open_mailbox, read_mailbox
from sandbox.mail_servers import JUNK, Fault, ImapServer, TokenEndpoint, imap_server, token_endpoint
from sandbox.world import SandboxMail

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def letter(number: int, *, minutes: int = 0, raw: bytes | None = None, **headers: str) -> SandboxMail:
    message = EmailMessage()
    message["From"] = "abc123def456gh@marketplace.amazon.de"
    message["Subject"] = "Anfrage"
    message["Message-ID"] = f"<{number}@eu-west-1.amazonses.com>"
    message["Date"] = NOON
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
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


def read(
    warehouse: Engine, server: ImapServer, archive: Archive, folders: tuple[str, ...] = ("INBOX",), **options: Any
) -> MailRead:
    return read_mailbox(
        warehouse, credentials(server), folders, archive, buyer_key="k", sleep=options.pop("sleep", never), **options
    )


def never(seconds: float) -> None:
    raise AssertionError("there was no reason to wait")


def failures(warehouse: Engine) -> list[tuple[int, int, str]]:
    """UID, how often asked for, and why it was not given."""
    with warehouse.connect() as connection:
        rows = connection.execute(text("select uid, attempts, reason from ops.mail_failure order by uid"))
        return [(row.uid, row.attempts, row.reason) for row in rows]


def inside(server: ImapServer) -> IMAPClient:
    """A session of somebody else."""
    access = credentials(server)
    session = IMAPClient(access.host, access.port, ssl=False)
    session.login(access.user, access.password)
    return session


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
        kept = archive.put

        def full(raw: bytes) -> str:
            if b"<3@" in raw:
                raise ArchiveError("no space")
            return kept(raw)

        monkeypatch.setattr(archive, "put", full)
        with pytest.raises(ArchiveError):
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


# ---------- logging in with an access token


@pytest.fixture
def tokens(server: ImapServer) -> Iterator[TokenEndpoint]:
    with token_endpoint(server, "shop", client_id="app", client_secret="s3cret", refresh_token="refresh-1") as endpoint:
        yield endpoint


def with_token(server: ImapServer, endpoint: TokenEndpoint, **changes: str) -> MailboxCredentials:
    fields = {"client_id": "app", "client_secret": "s3cret", "refresh_token": "refresh-1", **changes}
    return credentials(server, password="", oauth=OAuth(token_url=endpoint.url, **fields))


def test_a_mailbox_is_read_with_an_access_token(
    warehouse: Engine, server: ImapServer, archive: Archive, tokens: TokenEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    access = with_token(server, tokens)
    assert read_mailbox(warehouse, access, ("INBOX",), archive, buyer_key="k").mails == 2
    [token] = server.access_tokens.values()
    for secret in (token, "s3cret", "refresh-1"):
        assert secret not in caplog.text and secret not in repr(access)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"refresh_token": "revoked"}, r"account shop, connection imap_shop: the refresh token .* sign in again"),
        ({"client_secret": "wrong"}, r"the application is refused \(invalid_client\): check client_id"),
    ],
)
def test_a_refused_token_says_what_to_do(
    server: ImapServer, tokens: TokenEndpoint, change: dict[str, str], says: str
) -> None:
    with pytest.raises(BadCredentials, match=says), open_mailbox(with_token(server, tokens, **change)):
        pass


def test_an_access_token_that_the_mail_server_refuses_is_bad_credentials(
    server: ImapServer, tokens: TokenEndpoint
) -> None:
    access = replace(with_token(server, tokens), user="somebody-else@shop.example")
    with pytest.raises(BadCredentials, match="the consent covers IMAP"), open_mailbox(access):
        pass


@pytest.mark.parametrize(("status", "url"), [(503, None), (404, None), (200, "http://127.0.0.1:9/token")])
def test_a_token_endpoint_without_a_sensible_answer_is_unavailable(
    server: ImapServer, tokens: TokenEndpoint, status: int, url: str | None
) -> None:
    tokens.status, tokens.url = status, url or tokens.url
    with pytest.raises(Unavailable, match="No access token"), open_mailbox(with_token(server, tokens)):
        pass


# ---------- batches


def test_a_batch_is_bounded_in_mails_and_bytes(
    warehouse: Engine, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, large = 400, 3000  # bytes, about
    sizes = [small, small, large, small, small, small, small]
    mails = [letter(number, X_Filler="x" * size) for number, size in enumerate(sizes)]
    monkeypatch.setattr("amazon_support.sources.mailbox.BATCH", 5)
    monkeypatch.setattr("amazon_support.sources.mailbox.BATCH_BYTES", 2000)
    with imap_server({"shop": mails}) as server:
        result = read(warehouse, server, archive)
        assert [len(uids) for uids in server.fetches] == [2, 1, 2, 2], "the large one alone"
    assert (result.mails, len(result.batch_ids)) == (7, 4)
    assert landed(warehouse) == ["0", "1", "2", "3", "4", "5", "6"]


def test_a_very_large_folder_is_searched_in_spans(
    warehouse: Engine, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amazon_support.sources.mailbox.SEARCHED", 2)
    with imap_server({"shop": [letter(number) for number in range(5)]}) as server:
        assert read(warehouse, server, archive).mails == 5
        assert read(warehouse, server, archive).mails == 0
        server.deliver("shop", letter(5))
        assert read(warehouse, server, archive).mails == 1
    assert landed(warehouse) == ["0", "1", "2", "3", "4", "5"]


# ---------- connections that break


def test_a_dropped_connection_is_made_again_and_the_reading_goes_on(
    warehouse: Engine, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amazon_support.sources.mailbox.BATCH", 2)
    waits: list[float] = []
    with imap_server({"shop": [letter(number) for number in range(6)]}) as server:
        server.drop_after(1)
        assert read(warehouse, server, archive, sleep=waits.append).mails == 6
        assert server.fetches[0] not in server.fetches[1:], "what is committed is not read again"
    assert waits == [1]
    assert landed(warehouse) == ["0", "1", "2", "3", "4", "5"]
    assert failures(warehouse) == []


def test_a_line_that_breaks_again_and_again_costs_no_mail(
    warehouse: Engine, server: ImapServer, archive: Archive
) -> None:
    """Once at all mails together, once at one of them that is fetched alone: no mail is to blame."""

    def break_again(_: float) -> None:
        if len(server.fetches) == 1:
            server.drop_after(0)

    server.drop_after(0)
    assert read(warehouse, server, archive, sleep=break_again).mails == 2
    assert failures(warehouse) == []


def test_a_server_that_stays_away_is_given_up_after_three_more_tries(
    warehouse: Engine, server: ImapServer, archive: Archive
) -> None:
    waits: list[float] = []
    with pytest.raises(Unavailable, match="cannot be reached"):
        read_mailbox(
            warehouse, credentials(server, port=9), ("INBOX",), archive, buyer_key="k", sleep=waits.append
        )  # fmt: skip
    assert waits == [1, 5, 25]


# ---------- mails that the server does not give


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("nil", "the server gives no contents"),
        ("refuse", "the server refuses it"),
        ("drop", "the connection breaks at it"),
    ],
)
def test_a_mail_that_is_not_given_stops_nothing_and_is_noted(
    warehouse: Engine, archive: Archive, fault: Fault, reason: str
) -> None:
    with imap_server({"shop": [letter(number) for number in range(5)]}) as server:
        uid = server.deliver("shop", letter(5))
        server.deliver("shop", letter(6))
        server.faults[uid] = fault
        result = read(warehouse, server, archive, sleep=lambda _: None)
        assert (result.mails, result.failed) == (6, 1)
        assert landed(warehouse) == ["0", "1", "2", "3", "4", "6"]
        assert failures(warehouse) == [(uid, 1, reason)]
        server.faults.clear()
        assert read(warehouse, server, archive).mails == 1
        assert failures(warehouse) == []
    assert sorted(landed(warehouse)) == ["0", "1", "2", "3", "4", "5", "6"]


def test_a_mail_that_is_never_given_is_asked_for_a_few_times_and_stays_noted(
    warehouse: Engine, server: ImapServer, archive: Archive
) -> None:
    uid = server.deliver("shop", letter(3))
    server.faults[uid] = "refuse"
    attempts = []
    for _ in range(7):
        read(warehouse, server, archive)
        attempts.append(failures(warehouse)[0][1])
    assert attempts == [1, 2, 3, 4, 5, 5, 5]


def test_a_mail_that_somebody_deleted_meanwhile_is_no_failure(
    warehouse: Engine, server: ImapServer, archive: Archive
) -> None:
    uid = server.deliver("shop", letter(3))
    server.faults[uid] = "refuse"
    read(warehouse, server, archive)
    with inside(server) as session:
        session.select_folder("INBOX")
        session.delete_messages([uid])
        session.expunge()
    assert read(warehouse, server, archive).failed == 0
    assert failures(warehouse) == []


def test_failures_of_uids_that_are_no_longer_used_are_forgotten(warehouse: Engine, archive: Archive) -> None:
    with imap_server({"shop": [letter(1)]}) as server:
        server.faults[101] = "refuse"
        read(warehouse, server, archive)
        assert [uid for uid, _, _ in failures(warehouse)] == [101]
    with imap_server({"shop": [letter(1)]}) as server:
        read(warehouse, server, archive)
    assert failures(warehouse) == []


# ---------- folders


def test_inbox_and_spam_are_read_each_from_where_it_was_left(warehouse: Engine, archive: Archive) -> None:
    with imap_server({"shop": [letter(1)]}, folders=[JUNK]) as server:
        server.deliver("shop", letter(2), JUNK)
        both = ("INBOX", "\\Junk")
        assert read(warehouse, server, archive, both).mails == 2
        server.deliver("shop", letter(3), JUNK)
        assert read(warehouse, server, archive, both).mails == 1
    with warehouse.connect() as connection:
        folders = connection.execute(text("select folder from pii.mail_received order by batch_id")).scalars().all()
    assert folders == ["INBOX", JUNK, JUNK]


def test_a_mailbox_without_a_spam_folder_says_so(warehouse: Engine, server: ImapServer, archive: Archive) -> None:
    with pytest.raises(SourceError, match=r"has no folder for \\Junk: name it in `folders` in accounts\.yaml"):
        read(warehouse, server, archive, ("INBOX", "\\Junk"))
    assert landed(warehouse) == ["1", "2"]


# ---------- history


def test_from_when_on_an_account_is_live_is_kept_once(warehouse: Engine, server: ImapServer, archive: Archive) -> None:
    for days in (14, 3):
        read(warehouse, server, archive, live_since=NOON - timedelta(days=days), tags={"two": "second/DE"})
    with warehouse.connect() as connection:
        rows = connection.execute(text("select account, live_since from core.account_start order by account")).all()
    assert [tuple(row) for row in rows] == [(name, NOON - timedelta(days=14)) for name in ("second", "shop")]


# ---------- one mailbox for several


TAGS = {"de": "shop/DE", "outlet": "outlet", "it": "/IT"}


def owned(warehouse: Engine) -> list[tuple[str, str | None]]:
    """Account and marketplace of each landed mail."""
    query = "select account, meaning ->> 'marketplace' from pii.mail_received order by uid"
    with warehouse.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


@pytest.mark.parametrize(
    ("headers", "account", "marketplace"),
    [
        ({"To": "Shop <support+de@shop.example>"}, "shop", "DE"),
        ({"To": "support+OUTLET@shop.example"}, "outlet", None),
        ({"To": "a@shop.example", "Cc": "b@shop.example, support+it@shop.example"}, "shop", "IT"),
        ({"To": "support+de@shop.example", "Delivered_To": "support+outlet@shop.example"}, "outlet", "DE"),
        ({"X_Original_To": "support+outlet@shop.example"}, "outlet", None),
        ({"To": "support+other@shop.example"}, "shop", None),
        ({"To": "=?broken <support+"}, "shop", None),
        ({}, "shop", None),
    ],
)
def test_a_mail_in_a_shared_mailbox_lands_under_its_own_account(
    warehouse: Engine, archive: Archive, headers: dict[str, str], account: str, marketplace: str | None
) -> None:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    strange = "\n".join([*lines, "Subject: x", "", "x"]).encode()
    with imap_server({"shop": [letter(1, raw=strange)]}) as server:
        read(warehouse, server, archive, tags=TAGS)
    assert owned(warehouse) == [(account, marketplace)]


def test_the_mail_itself_knows_its_marketplace_best(warehouse: Engine, archive: Archive) -> None:
    with imap_server({"shop": [letter(1, To="support+it@shop.example")]}) as server:
        read(warehouse, server, archive, tags=TAGS)
    assert owned(warehouse) == [("shop", "DE")], "it came from marketplace.amazon.de"


def test_mails_of_several_accounts_in_one_batch_move_one_position(warehouse: Engine, archive: Archive) -> None:
    mails = [letter(1, To="a+outlet@shop.example"), letter(2), letter(3, To="a+outlet@shop.example")]
    with imap_server({"shop": mails}) as server:
        result = read(warehouse, server, archive, tags=TAGS)
        assert (result.mails, len(result.batch_ids)) == (3, 2)
        assert read(warehouse, server, archive, tags=TAGS).mails == 0
    assert [account for account, _ in owned(warehouse)] == ["outlet", "shop", "outlet"]


# ---------- marking


def flagged(server: ImapServer, folder: str = "INBOX") -> dict[int, tuple[bytes, ...]]:
    with inside(server) as session:
        session.select_folder(folder, readonly=True)
        flags: dict[int, tuple[bytes, ...]] = session.get_flags(session.search())
    return {uid: tuple(flag for flag in of_one if flag != b"\\Recent") for uid, of_one in flags.items()}


STRANGE = b"From: friend@elsewhere.example\nSubject: hello\nMessage-ID: <strange@elsewhere.example>\n\nhello"


def test_each_kind_is_marked_as_the_settings_say(warehouse: Engine, archive: Archive) -> None:
    with imap_server({"shop": [letter(1), letter(2, raw=STRANGE)]}, folders=["Read"]) as server:
        mark = {"buyer_message": "flag", "unknown": "move:Read"}
        assert read(warehouse, server, archive, ("INBOX", "Read"), mark=mark).mails == 3, "it is met again in Read"
        assert flagged(server) == {101: (b"\\Flagged",)}
        assert list(flagged(server, "Read").values()) == [()]
        assert read(warehouse, server, archive, ("INBOX", "Read"), mark=mark).mails == 0


def test_what_cannot_be_marked_stops_nothing(warehouse: Engine, archive: Archive) -> None:
    with imap_server({"shop": [letter(1), letter(2, raw=STRANGE)]}) as server:
        result = read(warehouse, server, archive, mark={"unknown": "move:Nowhere", "buyer_message": "flag"})
        assert result.mails == 2
        assert list(flagged(server)) == [101, 102]
        assert read(warehouse, server, archive).mails == 0
