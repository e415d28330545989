"""Mutated mails by the hundred thousand: each must have exactly one kind and be fit for storing, and none may raise.

Not collected by pytest. Run by `make fuzz`, or: python tests/mail/fuzz.py [MAILS] [SEED]. Every mail is made from its
number and the seed alone; one that raises is kept as fuzz-SEED-NUMBER.eml and told with its exception.
"""

import sys
import time
from collections import Counter
from collections.abc import Iterator
from functools import cache
from multiprocessing import Pool
from pathlib import Path
from random import Random

from letters import corpus
from mail_builders import framed, framed_html, mail, report
from test_mail_hostile import ODD, nested, understood

MAILS = 200_000
SHARE = 500  # mails a worker takes at once
PIECES = (
    b"\r\n",
    b"\n\n",
    b"\0",
    b"\xff\xfe",
    b"=?utf-8?b?",
    b"?=",
    b"Content-Type: multipart/mixed; boundary=x\r\n",
    b"--x\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"<pre>",
    b"</pre>",
    b"<script>",
    b"<!--",
    b"&#0;",
    b"-------------",
    b"From: a@amazon.de\r\n",
    b"Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n",
    b"302-1234567-1234567",
    b"\x1b$B",
    b"+ADw-",
    b"\xed\xa0\x80",
    b"=?iso-2022-jp?Q?=1B$B?=",
    b"Content-Type: multipart/report; report-type=delivery-status\r\n",
    b"Content-Type: message/rfc822\r\n\r\n",
    b"Content-Transfer-Encoding: x-uuencode\r\n",
    b"Content-Disposition: attachment; filename*0*=utf-8''..%2f; filename*1=\"",
    b"charset*=utf-8''%ff",
    b"&#x110000;",
    b"]]>",
    b"\xe2\x80\xae",
    b"<blockquote>",
    b"<table><tr><td>",
    b"------------- " * 200,
    b"> " * 200,
    b'From: <>, @, a@[, "\r\n',
    b"9999-12-31",
    b"0001-01-01 00:00 (UTC+99)",
    b"within 999 weeks",
    b"1.1.1,1,1 \xe2\x82\xac",
    b"https://sellercentral.amazon.de/messaging/no-response-needed?t=%00&m[]=",
    b"https://[::1",
)


@cache
def seeds() -> list[bytes]:
    """Mails of every kind and language, and odd ones."""
    odd = [nested(50), report(), mail(text=framed(), html=framed_html(), files=[("a.png", "image/png", b"x")])]
    return [each.raw for each in corpus()] + list(ODD.values()) + odd


def mutated(number: int, seed: int) -> bytes:
    """A mail with bytes cut out, doubled, replaced, moved to another mail, or with pieces of mail put in."""
    dice = Random(f"{seed} {number}")
    raw = bytearray(dice.choice(seeds()))
    for _ in range(dice.randint(1, 8)):
        start = dice.randint(0, len(raw))
        end = min(len(raw), start + int(dice.expovariate(1 / 40)))
        other = dice.choice(seeds())
        cut = dice.randint(0, len(other))
        raw[start:end] = dice.choice(
            (b"", bytes(raw[start:end]) * 3, dice.randbytes(end - start), other[cut : cut + 400], dice.choice(PIECES))
        )
    return bytes(raw)


def share(task: tuple[int, int, int]) -> tuple[Counter[str], list[tuple[int, str]]]:
    """Kinds of some mails, and what went wrong with which."""
    first, last, seed = task
    kinds: Counter[str] = Counter()
    wrong = []
    for number in range(first, last):
        try:
            kinds[understood(mutated(number, seed)).kind] += 1
        except Exception as error:
            wrong.append((number, f"{type(error).__name__}: {error}"[:200]))
    return kinds, wrong


def shares(mails: int, seed: int) -> Iterator[tuple[int, int, int]]:
    for first in range(0, mails, SHARE):
        yield first, min(mails, first + SHARE), seed


def main(mails: int, seed: int) -> int:
    """Returns how many mails went wrong."""
    began = time.monotonic()
    kinds: Counter[str] = Counter()
    wrong: list[tuple[int, str]] = []
    with Pool() as pool:
        for found, failed in pool.imap_unordered(share, shares(mails, seed)):
            kinds += found
            wrong += failed
            done = kinds.total() + len(wrong)
            if done % 10_000 < SHARE or done == mails:
                print(f"{time.monotonic() - began:5.0f} s  {done:>9,} mails, {len(wrong)} went wrong", flush=True)
    for kind, count in sorted(kinds.items()):
        print(f"{count:>9,}  {kind}")
    for number, what in wrong[:20]:
        Path(f"fuzz-{seed}-{number}.eml").write_bytes(mutated(number, seed))
        print(f"fuzz-{seed}-{number}.eml  {what}")
    print(f"{kinds.total():,} of {mails:,} mails have one kind; {len(wrong)} went wrong")
    return len(wrong)


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    sys.exit(bool(main(*(arguments + [MAILS, 1][len(arguments) :]))))
