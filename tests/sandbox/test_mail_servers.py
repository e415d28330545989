"""The sandbox's servers, met with the clients that the pipeline uses."""

import json
import os
import re
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import requests
from imapclient import IMAPClient
from imapclient.exceptions import LoginError

from sandbox.mail_servers import ImapServer, imap_server, smtp_sink
from sandbox.world import SandboxMail

FIRST = datetime(2026, 7, 1, 8, 30, tzinfo=UTC)  # in summer: INTERNALDATE must not follow local time


def mail(number: int, account: str = "northwind") -> SandboxMail:
    raw = (
        f"From: Jörg <a{number}@marketplace.amazon.de>\r\nSubject: =?iso-2022-jp?B?GyRCJWEbKEI=?= {number}\r\n"
        "X-Odd:no space\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
        "Content-Transfer-Encoding: 8bit\r\n\r\nGrüße\r\n.\r\nFrom me\r\n"
    )
    return SandboxMail(account, FIRST + timedelta(minutes=number), raw.encode("latin-1"))


@pytest.fixture
def server() -> Iterator[ImapServer]:
    mailboxes = {"northwind": [mail(n) for n in range(5)], "kirschblut": [mail(n, "kirschblut") for n in range(2)]}
    with imap_server(mailboxes) as running:
        yield running


@pytest.fixture
def client(server: ImapServer) -> Iterator[IMAPClient]:
    with IMAPClient(server.host, server.port, ssl=False) as client:
        client.login(server.users["northwind"].user, server.users["northwind"].password)
        yield client


class TestImap:
    def test_mail_comes_back_byte_for_byte_with_the_instant_it_was_received(self, client: IMAPClient) -> None:
        client.normalise_times = False
        client.select_folder("INBOX", readonly=True)
        fetched = client.fetch(client.search(), ["BODY.PEEK[]", "INTERNALDATE"])
        assert [fetched[uid][b"BODY[]"] for uid in sorted(fetched)] == [mail(n).raw for n in range(5)]
        assert [fetched[uid][b"INTERNALDATE"] for uid in sorted(fetched)] == [mail(n).received_at for n in range(5)]

    def test_uids_rise_and_can_be_searched_from_a_watermark(self, client: IMAPClient) -> None:
        state = client.select_folder("INBOX", readonly=True)
        uids = client.search(["UID", "1:*"])
        assert state[b"UIDVALIDITY"] > 0
        assert state[b"UIDNEXT"] == max(uids) + 1
        assert uids == sorted(uids)
        assert client.search(["UID", f"{uids[2]}:*"]) == uids[2:]

    def test_reading_with_peek_leaves_no_flag(self, client: IMAPClient) -> None:
        client.select_folder("INBOX")
        client.fetch(client.search(), ["BODY.PEEK[]"])
        client.select_folder("INBOX", readonly=True)
        assert {flags for row in client.fetch(client.search(), ["FLAGS"]).values() for flags in [row[b"FLAGS"]]} == {()}

    def test_mail_that_comes_later_is_found_behind_the_watermark(self, server: ImapServer, client: IMAPClient) -> None:
        watermark = client.select_folder("INBOX", readonly=True)[b"UIDNEXT"]
        assert server.deliver("northwind", mail(9)) == watermark
        client.noop()
        assert client.search(["UID", f"{watermark}:*"]) == [watermark]

    def test_clients_can_flag_and_move(self, client: IMAPClient) -> None:
        client.select_folder("INBOX")
        first, second, *rest = client.search()
        client.add_flags(first, [rb"\Flagged"])
        client.create_folder("Done")
        client.move([second], "Done")
        assert client.search(["FLAGGED"]) == [first]
        assert client.search() == [first, *rest]

    def test_each_account_sees_its_own_mail_only(self, server: ImapServer) -> None:
        with IMAPClient(server.host, server.port, ssl=False) as other:
            other.login(server.users["kirschblut"].user, server.users["kirschblut"].password)
            assert other.select_folder("INBOX", readonly=True)[b"EXISTS"] == 2

    @pytest.mark.parametrize("user", ["northwind@shop.example", "nobody@shop.example", ""])
    def test_a_wrong_password_is_refused(self, server: ImapServer, user: str) -> None:
        with IMAPClient(server.host, server.port, ssl=False) as stranger, pytest.raises(LoginError):
            stranger.login(user, "wrong")

    def test_it_serves_two_thousand_mails(self) -> None:
        with (
            imap_server({"northwind": [mail(n) for n in range(2000)]}) as running,
            IMAPClient(running.host, running.port, ssl=False) as client,
        ):
            client.login(running.users["northwind"].user, running.users["northwind"].password)
            client.select_folder("INBOX", readonly=True)
            assert len(client.fetch(client.search(), ["BODY.PEEK[]", "INTERNALDATE"])) == 2000

    def test_it_stops_though_a_client_is_still_there(self) -> None:
        with imap_server({"northwind": []}) as running:
            client = IMAPClient(running.host, running.port, ssl=False)
        with pytest.raises(OSError):
            IMAPClient(running.host, running.port, ssl=False, timeout=2)
        client.socket().close()

    def test_a_taken_port_is_an_error(self, server: ImapServer) -> None:
        with pytest.raises(OSError, match="address already in use"), imap_server({}, port=server.port):
            pass


def worklist(number: int = 1) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "pipeline@shop.example", "agent@shop.example"
    message["Subject"] = f"Worklist {number}: 3 überfällig"
    message.set_content("plain\n.\nend")
    message.add_alternative("<p>html</p>", subtype="html")
    return message


class TestSmtp:
    def test_a_multipart_mail_is_kept_as_it_was_sent(self, tmp_path: Path) -> None:
        with smtp_sink(tmp_path / "mail") as sink, smtplib.SMTP(sink.host, sink.port) as client:
            client.send_message(worklist())
            (kept,) = sink.mails()
        assert kept["Subject"] == "Worklist 1: 3 überfällig"
        lines = [part.get_content().splitlines() for part in kept.iter_parts()]
        assert lines == [["plain", ".", "end"], ["<p>html</p>"]]

    def test_file_names_are_numbers_that_go_on_after_a_restart(self, tmp_path: Path) -> None:
        for number in (1, 2):
            with smtp_sink(tmp_path) as sink, smtplib.SMTP(sink.host, sink.port) as client:
                client.send_message(worklist(number))
        assert sorted(path.name for path in tmp_path.iterdir()) == ["000001.eml", "000002.eml"]

    def test_it_can_refuse(self, tmp_path: Path) -> None:
        def refuse(sender: str, recipients: list[str], raw: bytes) -> str | None:
            return "451 4.3.0 Try again later" if b"Worklist 1" in raw else None

        with smtp_sink(tmp_path, refuse=refuse) as sink, smtplib.SMTP(sink.host, sink.port) as client:
            with pytest.raises(smtplib.SMTPDataError, match="Try again later"):
                client.send_message(worklist(1))
            client.send_message(worklist(2))
            assert len(sink.mails()) == 1


class TestServe:
    """`python -m sandbox serve`, as a process."""

    @pytest.fixture
    def process(self, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-m", "sandbox", "serve", "--folder", str(tmp_path), "--days", "3"]
        with subprocess.Popen([*command, "--until", "2026-03-14T12:00:00+00:00"], text=True) as process:
            yield process
            process.kill()

    @pytest.fixture
    def servers(self, process: subprocess.Popen[str], tmp_path: Path) -> dict[str, Any]:
        listing = tmp_path / "servers.json"
        deadline = time.monotonic() + 60
        while not listing.exists():
            assert process.poll() is None, "the sandbox ended before it served anything"
            assert time.monotonic() < deadline, "no servers.json after a minute"
            time.sleep(0.05)
        return json.loads(listing.read_text())  # type: ignore[no-any-return]

    def test_everything_answers_and_ends_cleanly(
        self, process: subprocess.Popen[str], servers: dict[str, Any], tmp_path: Path
    ) -> None:
        assert {(seller["account"], seller["region"]) for seller in servers["sellers"]} == {
            ("northwind", "na"),
            ("northwind", "eu"),
            ("kirschblut", "fe"),
        }
        assert orders_of(servers, servers["sellers"][1])
        for login in servers["imap"]["users"].values():
            with IMAPClient(servers["imap"]["host"], servers["imap"]["port"], ssl=False) as client:
                client.login(login["user"], login["password"])
                assert client.select_folder("INBOX", readonly=True)[b"EXISTS"] > 10
        with smtplib.SMTP(servers["smtp"]["host"], servers["smtp"]["port"]) as sender:
            sender.send_message(worklist())
        assert (tmp_path / "mail" / "000001.eml").exists()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
        assert not (tmp_path / "servers.json").exists()

    def test_an_instant_without_zone_is_explained(self, tmp_path: Path) -> None:
        command = [sys.executable, "-m", "sandbox", "serve", "--folder", str(tmp_path), "--until", "2026-03-14"]
        result = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ, COLUMNS="200"))
        assert result.returncode == 2
        assert re.search(r"no time zone; write for example 2026-03-14\S*\+00:00", result.stderr)


def orders_of(servers: dict[str, Any], seller: dict[str, Any]) -> list[dict[str, Any]]:
    form = {"grant_type": "refresh_token"} | {
        key: seller[key] for key in ("client_id", "client_secret", "refresh_token")
    }
    token = requests.post(servers["token_url"], data=form, timeout=10).json()["access_token"]
    response = requests.get(
        f"{servers['amazon_url']}/orders/2026-01-01/orders",
        params={"createdAfter": "2026-03-01T00:00:00Z"},
        headers={"x-amz-access-token": token},
        timeout=10,
    )
    response.raise_for_status()
    return response.json()["orders"]  # type: ignore[no-any-return]
