"""A real IMAP server (pymap) holding invented mail, and an SMTP server (aiosmtpd) keeping what it accepts as files.

An OAuth token endpoint belongs to the IMAP server. All listen on 127.0.0.1 without TLS, each in a thread of its own,
and are gone when their context ends.
"""

import asyncio
import itertools
import secrets
import threading
from argparse import Namespace
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, closing, contextmanager
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import parse_qsl

from aiosmtpd.smtp import SMTP, Envelope, Session
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import Config, Identity
from pymap.backend.dict import Login as PymapLogin
from pymap.backend.dict.filter import FilterSet
from pymap.backend.dict.mailbox import MailboxSet
from pymap.context import connection_exit
from pymap.exceptions import InvalidAuth, NotAllowedError
from pymap.imap import IMAPConnection
from pymap.imap.state import ConnectionState
from pymap.listtree import ListEntry, ListTree
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials import FetchAttribute, FetchValue
from pymap.user import UserMetadata
from pysasl import SASLAuth
from pysasl.creds.external import ExternalCredentials
from pysasl.hashing import Cleartext

from sandbox.http import serve
from sandbox.world import SandboxMail

HOST = "127.0.0.1"

JUNK = "Unerwünscht"  # a name that tells nothing: only its attribute \\Junk does

T = TypeVar("T")
# What is wrong with a mail: its content comes as NIL, asking for it is refused, or ends the connection.
Fault = Literal["nil", "refuse", "drop"]
Refuse = Callable[[str, list[str], bytes], str | None]


@dataclass(frozen=True)
class Login:
    """What an IMAP client logs in with."""

    user: str
    password: str


class ImapServer:
    """A running IMAP server.

    Attributes:
        users: login by mailbox name (an account).
        access_tokens: by user, what XOAUTH2 accepts instead of the password.
        faults: by UID, of every mailbox; may be changed while the server runs.
        fetches: UIDs of every request for contents so far.
    """

    def __init__(self, port: int, logins: Mapping[str, Login], deliver: Callable[..., int], state: "_Shared") -> None:
        self.host = HOST
        self.port = port
        self.users = dict(logins)
        self.access_tokens = state.access_tokens
        self.faults = state.faults
        self.fetches = state.fetches
        self._deliver = deliver
        self._state = state

    def deliver(self, mailbox: str, mail: SandboxMail, folder: str = "INBOX") -> int:
        """Put one more mail into the mailbox while the server runs; returns its UID."""
        return self._deliver(mailbox, mail, folder)

    def drop_after(self, requests: int) -> None:
        """Answers so many more requests for contents, then ends one connection, once."""
        self._state.drop_after = requests


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
def imap_server(
    mailboxes: Mapping[str, Iterable[SandboxMail]], port: int = 0, folders: Sequence[str] = ()
) -> Iterator[ImapServer]:
    """Serve each mailbox as one user's INBOX: UIDs in the given order, INTERNALDATE = `received_at`, no flags set.

    UIDVALIDITY is new with every start. Port 0: any free one. `folders`: further ones for each user, empty; that
    named JUNK has the attribute \\Junk. Raises OSError when the port is taken.
    """
    logins = {name: Login(user=f"{name}@shop.example", password=f"imap-{name}") for name in mailboxes}
    sets: dict[str, MailboxSet] = {}
    state = _Shared()

    async def append(mailbox: str, mail: SandboxMail, folder: str = "INBOX") -> int:
        message = AppendMessage(mail.raw, mail.received_at)
        return int((await (await sets[mailbox].get_mailbox(folder)).append(message, recent=True)).uid)

    async def fill(pymap: PymapLogin) -> None:
        for name, mails in mailboxes.items():
            sets[name] = await _add_user(pymap, logins[name], folders)
            for mail in mails:
                await append(name, mail)

    with _loop() as loop:
        pymap = _pymap_login(state)
        _run(loop, fill(pymap))
        with _serving(loop, lambda: _listen_imap(pymap, port, state)) as bound:
            yield ImapServer(bound, logins, lambda *mail: _run(loop, append(*mail)), state)


@dataclass
class TokenEndpoint:
    """A running OAuth token endpoint. `status`: what it answers instead of its work, if not 200."""

    url: str
    status: int = 200


@contextmanager
def token_endpoint(
    server: ImapServer, mailbox: str, *, client_id: str, client_secret: str, refresh_token: str
) -> Iterator[TokenEndpoint]:
    """Gives access tokens for one user of the IMAP server (RFC 6749, section 6); each ends the one before."""
    endpoint = TokenEndpoint("")
    app = FastAPI()

    @app.post("/token")
    async def token(request: Request) -> JSONResponse:
        form = dict(parse_qsl((await request.body()).decode()))
        if endpoint.status != 200:
            return JSONResponse({"error": "temporarily_unavailable"}, endpoint.status)
        if form.get("grant_type") != "refresh_token":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        if (form.get("client_id"), form.get("client_secret")) != (client_id, client_secret):
            return JSONResponse({"error": "invalid_client"}, 401)
        if form.get("refresh_token") != refresh_token:
            return JSONResponse({"error": "invalid_grant", "error_description": "Token was revoked."}, 400)
        access_token = secrets.token_urlsafe()
        server.access_tokens[server.users[mailbox].user] = access_token
        return JSONResponse({"access_token": access_token, "token_type": "Bearer", "expires_in": 3599})

    with serve(app) as url:
        endpoint.url = f"{url}/token"
        yield endpoint


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


@dataclass
class _Shared:
    """What tests see and set while the server runs."""

    access_tokens: dict[str, str] = field(default_factory=dict)
    faults: dict[int, Fault] = field(default_factory=dict)
    fetches: list[list[int]] = field(default_factory=list)
    drop_after: int | None = None


async def _listen_imap(login: PymapLogin, port: int, shared: _Shared) -> asyncio.Server:
    async def connected(reader: Any, writer: Any, sock_info: Any) -> None:
        connection = IMAPConnection(login.config.commands, login.config, reader, writer, sock_info)
        async with AsyncExitStack() as stack:
            connection_exit.set(stack)
            stack.enter_context(closing(connection))
            await connection.run(_State(login, login.config, shared))

    proxy = ProxyProtocolReader(login.config.proxy_protocol)
    return await asyncio.start_server(proxy.get_callback(connected), HOST, port)


class _State(ConnectionState):  # type: ignore[misc]
    """A connection on which mails can have faults."""

    def __init__(self, login: PymapLogin, config: Config, shared: _Shared) -> None:
        super().__init__(login, config)
        self._shared = shared

    async def do_fetch(self, cmd: Any) -> Any:
        contents = [attribute for attribute in cmd.attributes if attribute.value == b"BODY.PEEK"]
        if not contents:
            return await super().do_fetch(cmd)
        uids = sorted(cmd.sequence_set.flatten(1 << 31))
        self._shared.fetches.append(uids)
        if self._shared.drop_after is not None:
            self._shared.drop_after -= 1
            if self._shared.drop_after < 0:
                self._shared.drop_after = None
                raise ConnectionError
        faults = {self._shared.faults.get(uid) for uid in uids}
        if "drop" in faults:
            raise ConnectionError
        if "refuse" in faults:
            raise NotAllowedError("This mail is damaged.")
        response, updates = await super().do_fetch(cmd)
        if "nil" in faults:
            self._take_contents(response, contents[0])
        return response, updates

    def _take_contents(self, response: Any, attribute: FetchAttribute) -> None:
        for answer in response._untagged:
            uid = next(int(bytes(value.get_value())) for key, value in answer.data.items() if key.value == b"UID")
            if self._shared.faults.get(uid) == "nil":
                answer.data[attribute] = FetchValue.of(attribute, b"NIL")


class _Login(PymapLogin):  # type: ignore[misc]
    """Knows access tokens, too."""

    def __init__(self, config: Config, shared: _Shared) -> None:
        super().__init__(config)
        self._shared = shared

    async def authenticate(self, credentials: Any) -> Any:
        if not isinstance(credentials, ExternalCredentials):
            return await super().authenticate(credentials)
        user, token = credentials.authzid, credentials._token
        if not token or self._shared.access_tokens.get(user) != token:
            raise InvalidAuth
        return Identity(user, self, None, frozenset())


class _ListEntry(ListEntry):  # type: ignore[misc]
    @property
    def attributes(self) -> Sequence[bytes]:
        return [*super().attributes, *([b"Junk"] if self.name == JUNK else [])]


class _ListTree(ListTree):  # type: ignore[misc]
    def list_matching(self, *query: str) -> list[ListEntry]:
        return [_ListEntry(**vars(entry)) for entry in super().list_matching(*query)]


class _MailboxSet(MailboxSet):  # type: ignore[misc]
    async def list_mailboxes(self) -> ListTree:
        return _ListTree(self.delimiter).update(*[entry.name for entry in (await super().list_mailboxes()).list()])


class _Config(Config):  # type: ignore[misc]
    @property
    def tls_auth(self) -> SASLAuth:
        return SASLAuth.named([b"PLAIN", b"LOGIN", b"XOAUTH2"])

    @property
    def greeting(self) -> bytes:
        # pymap would ask DNS for this machine's name at every connection.
        return b"Server ready mail.shop.example"


def _pymap_login(shared: _Shared) -> PymapLogin:
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
    return _Login(config, shared)


async def _add_user(pymap: PymapLogin, login: Login, folders: Iterable[str]) -> MailboxSet:
    """Make the user with an empty mailbox; returns its folders."""
    pymap.users_dict[login.user] = UserMetadata(pymap.config, login.user, password=login.password)
    mailbox_set = _MailboxSet()
    pymap.config.set_cache[login.user] = (mailbox_set, FilterSet())
    for folder in folders:
        await mailbox_set.add_mailbox(folder)
    return mailbox_set


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
