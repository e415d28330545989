"""A real IMAP server (pymap) holding invented mail, and an SMTP server (aiosmtpd) keeping what it accepts as files.

Both listen on 127.0.0.1 without TLS, each in a thread of its own, and are gone when their context ends.
"""

import asyncio
import itertools
import threading
from argparse import Namespace
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any, TypeVar

from aiosmtpd.smtp import SMTP, Envelope, Session
from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import Config
from pymap.backend.dict import Login as PymapLogin
from pymap.backend.dict.filter import FilterSet
from pymap.backend.dict.mailbox import MailboxData, MailboxSet
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.user import UserMetadata
from pysasl.hashing import Cleartext

from sandbox.world import SandboxMail

HOST = "127.0.0.1"

T = TypeVar("T")
Refuse = Callable[[str, list[str], bytes], str | None]


@dataclass(frozen=True)
class Login:
    """What an IMAP client logs in with."""

    user: str
    password: str


class ImapServer:
    """A running IMAP server. `users` maps each mailbox name (an account) to its login."""

    def __init__(self, port: int, logins: Mapping[str, Login], deliver: Callable[[str, SandboxMail], int]) -> None:
        self.host = HOST
        self.port = port
        self.users = dict(logins)
        self._deliver = deliver

    def deliver(self, mailbox: str, mail: SandboxMail) -> int:
        """Put one more mail into the mailbox's INBOX while the server runs; returns its UID."""
        return self._deliver(mailbox, mail)


@dataclass(frozen=True)
class SmtpSink:
    """A running SMTP server; what it accepted lies in `folder` as 000001.eml, 000002.eml, ..."""

    host: str
    port: int
    folder: Path

    def mails(self) -> list[EmailMessage]:
        """Every accepted mail, parsed, in the order of arrival."""
        parser = BytesParser(policy=policy.default)
        return [parser.parsebytes(path.read_bytes()) for path in sorted(self.folder.glob("*.eml"))]


@contextmanager
def imap_server(mailboxes: Mapping[str, Iterable[SandboxMail]], port: int = 0) -> Iterator[ImapServer]:
    """Serve each mailbox as one user's INBOX: UIDs in the given order, INTERNALDATE = `received_at`, no flags set.

    UIDVALIDITY is new with every start. Port 0: any free one. Raises OSError when the port is taken.
    """
    logins = {name: Login(user=f"{name}@shop.example", password=f"imap-{name}") for name in mailboxes}
    inboxes: dict[str, MailboxData] = {}

    async def append(mailbox: str, mail: SandboxMail) -> int:
        message = AppendMessage(mail.raw, mail.received_at)
        return int((await inboxes[mailbox].append(message, recent=True)).uid)

    async def fill(pymap: PymapLogin) -> None:
        for name, mails in mailboxes.items():
            inboxes[name] = await _add_user(pymap, logins[name])
            for mail in mails:
                await append(name, mail)

    with _loop() as loop:
        pymap = _pymap_login()
        _run(loop, fill(pymap))
        with _serving(loop, lambda: _listen_imap(pymap, port)) as bound:
            yield ImapServer(bound, logins, lambda mailbox, mail: _run(loop, append(mailbox, mail)))


@contextmanager
def smtp_sink(folder: Path, port: int = 0, refuse: Refuse | None = None) -> Iterator[SmtpSink]:
    """Accept every mail and keep it in `folder` (made when missing) as a numbered .eml file, written whole or not.

    refuse: gets (sender, recipients, raw mail) and returns the SMTP answer to refuse with, such as
    "451 4.3.0 Try again later" or "550 5.1.1 No such user", or None to accept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    keeper = _Keeper(folder, refuse)
    with _loop() as loop:

        async def listen() -> asyncio.Server:
            return await loop.create_server(lambda: SMTP(keeper, hostname="mx.shop.example", loop=loop), HOST, port)

        with _serving(loop, listen) as bound:
            yield SmtpSink(HOST, bound, folder)


class _Keeper:
    """aiosmtpd handler: one file a mail."""

    def __init__(self, folder: Path, refuse: Refuse | None) -> None:
        self._folder = folder
        self._refuse = refuse
        taken = [int(path.stem) for path in folder.glob("*.eml") if path.stem.isdigit()]
        self._numbers = itertools.count(max(taken, default=0) + 1)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.original_content
        if self._refuse and (answer := self._refuse(envelope.mail_from, list(envelope.rcpt_tos), content)):
            return answer
        path = self._folder / f"{next(self._numbers):06d}.eml"
        unfinished = path.with_suffix(".part")
        unfinished.write_bytes(content)
        unfinished.replace(path)
        return "250 2.0.0 Kept"


async def _listen_imap(login: PymapLogin, port: int) -> asyncio.Server:
    reader = ProxyProtocolReader(login.config.proxy_protocol)
    return await asyncio.start_server(reader.get_callback(IMAPServer(login, login.config)), HOST, port)


class _Config(Config):  # type: ignore[misc]
    @property
    def greeting(self) -> bytes:
        # pymap would ask DNS for this machine's name at every connection.
        return b"Server ready mail.shop.example"


def _pymap_login() -> PymapLogin:
    args = Namespace(passlib_cfg=None, proxy_protocol=None)
    config = _Config(
        args,
        host=HOST,
        port=0,
        tls_enabled=False,
        hash_context=Cleartext(),
        demo_data=False,
        demo_user="",
        demo_password="",
    )
    return PymapLogin(config)


async def _add_user(pymap: PymapLogin, login: Login) -> MailboxData:
    """Make the user with an empty mailbox; returns its INBOX."""
    pymap.users_dict[login.user] = UserMetadata(pymap.config, login.user, password=login.password)
    mailbox_set = MailboxSet()
    pymap.config.set_cache[login.user] = (mailbox_set, FilterSet())
    return await mailbox_set.get_mailbox("INBOX")


@contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop running in its own thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="sandbox mail server", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        _run(loop, _cancel_the_rest())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _cancel_the_rest() -> None:
    """End the connections that clients left open."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


@contextmanager
def _serving(
    loop: asyncio.AbstractEventLoop, listen: Callable[[], Coroutine[Any, Any, asyncio.Server]]
) -> Iterator[int]:
    """Port of the server, while it runs."""
    server = _run(loop, listen())
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(server.close)


def _run(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result()
