"""How fast 20,000 mails get from an IMAP server into landed rows, in how much memory: ours, and a bare IMAP fetch.

Not called mailbox.py: the standard library has a module of that name.
"""

import itertools
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from imapclient import IMAPClient
from result import Result
from sqlalchemy import Engine

from amazon_support.mail.archive import Archive
from amazon_support.sources.mailbox import BATCH, MailboxCredentials, read_mailbox
from amazon_support.warehouse import engine
from sandbox.__main__ import demo_sellers
from sandbox.mail_servers import imap_server
from sandbox.world import SandboxMail, generate

MAILS, SIZE = 20_000, 8_000  # bytes each, about
LIMIT = 12  # times a bare fetch: understanding a mail costs several times what fetching it does
MEMORY_LIMIT = 300  # MB
ACCOUNT = "bench"


def mailbox_reading(url: str, bound: Engine) -> list[Result]:
    """Reads a mailbox in each way, each in a process of its own beside the server's. Leaves nothing behind."""
    try:
        with _server() as port:
            bare = _measured("fetch", port)[0]
            with tempfile.TemporaryDirectory() as folder:
                ours, memory = _measured("read", port, url, folder)
    finally:
        with bound.begin() as connection:
            connection.exec_driver_sql("delete from ops.watermark where account = %s", (ACCOUNT,))
            connection.exec_driver_sql("delete from pii.mail_received where account = %s", (ACCOUNT,))
            connection.exec_driver_sql("delete from ops.batch where account = %s", (ACCOUNT,))
    what = f"read {MAILS:,} mails of {SIZE // 1000} KB by IMAP into landed rows"
    return [
        Result(
            f"{what}, {MAILS / ours:,.0f} a second",
            ours,
            LIMIT,
            bare,
            f"fetching the same and doing nothing with it, {MAILS / bare:,.0f} a second",
        ),
        Result(
            f"memory to {what}",
            memory,
            1,
            MEMORY_LIMIT,
            "the limit; peak resident memory of the whole process",
            unit="MB",
        ),
    ]


def _measured(*arguments: object) -> tuple[float, float]:
    """Seconds and peak megabytes of one way, in a process of its own."""
    run = subprocess.run([sys.executable, __file__, *map(str, arguments)], check=True, capture_output=True, text=True)
    taken, memory = run.stdout.split()[-2:]
    return float(taken), float(memory)


@contextmanager
def _server() -> Iterator[int]:
    with subprocess.Popen([sys.executable, __file__, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin and server.stdout
        try:
            yield int(server.stdout.readline())
        finally:
            server.stdin.close()  # tells it to end


# ---------- what the processes do


def serve() -> None:
    with imap_server({ACCOUNT: _mails()}) as server:
        print(server.port, flush=True)
        sys.stdin.read()


def _mails() -> Iterator[SandboxMail]:
    """Mails as the stand-in writes them, each with an identity of its own, made longer by a part nobody reads."""
    world = generate(seed=7, until=datetime(2026, 3, 1, tzinfo=UTC), days=20, sellers=demo_sellers(), orders_per_day=40)
    for number, mail in enumerate(itertools.islice(itertools.cycle(world.mails), MAILS)):
        raw = re.sub(rb"(?im)^message-id: *<", b"Message-ID: <%d." % number, mail.raw, count=1)
        filler = b"X-Filler: " + b"x" * 70 + b"\r\n"
        yield SandboxMail(ACCOUNT, mail.received_at, filler * ((SIZE - len(raw)) // len(filler)) + raw)


def fetch(port: int) -> None:
    with IMAPClient("127.0.0.1", port, ssl=False) as session:
        session.login(f"{ACCOUNT}@shop.example", f"imap-{ACCOUNT}")
        session.select_folder("INBOX", readonly=True)
        uids = session.search()
        assert len(uids) == MAILS
        for first in range(0, MAILS, BATCH):
            session.fetch(uids[first : first + BATCH], ["BODY.PEEK[]"])


def read(port: int, url: str, folder: Path) -> None:
    credentials = MailboxCredentials(
        ACCOUNT, ACCOUNT, "127.0.0.1", port, f"{ACCOUNT}@shop.example", f"imap-{ACCOUNT}", use_ssl=False
    )
    result = read_mailbox(engine(url), credentials, ("INBOX",), Archive(folder, "bench"), buyer_key="bench")
    assert (result.mails, result.unreadable, result.failed) == (MAILS, 0, 0)


def _main(way: str, *arguments: str) -> None:
    if way == "serve":
        serve()
        return
    began = time.perf_counter()
    if way == "fetch":
        fetch(int(arguments[0]))
    else:
        read(int(arguments[0]), arguments[1], Path(arguments[2]))
    taken = time.perf_counter() - began
    [peak] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    print(taken, int(peak.split()[1]) * 1024 / 1e6)


if __name__ == "__main__":
    _main(*sys.argv[1:])
