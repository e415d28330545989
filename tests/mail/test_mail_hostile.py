"""Whatever the bytes, one mail has one meaning, soon."""

from email.policy import SMTP
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mail_builders import BUYER, NOON, SUBJECT, framed, framed_html, mail, reply_html, report

from amazon_support.mail import Kind, MailFacts, explain
from amazon_support.mail.links import is_seller_central
from amazon_support.mail.rules import rules

FROM_BUYER = b"From: Mia <k2j4h6g8f1d3@marketplace.amazon.de>\r\nMessage-ID: <1@x.example>\r\nSubject: Frage\r\n"
KINDS = set(get_args(Kind))


def understood(raw: bytes) -> MailFacts:
    """The facts, when they can be stored: JSON without what PostgreSQL refuses."""
    facts = explain(raw, received_at=NOON)
    assert facts.kind in KINDS
    assert 0 <= facts.confidence <= 1
    assert facts.sent_at is not None and facts.sent_at <= NOON
    stored = facts.model_dump_json()
    assert "\\u0000" not in stored
    stored.encode("utf-8")
    assert MailFacts.model_validate_json(stored) == facts
    return facts


def nested(depth: int) -> bytes:
    opened = (b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(depth))
    closed = (b"\r\n--b%d--\r\n" % n for n in reversed(range(depth)))
    return FROM_BUYER + b"".join(opened) + b"\r\nHallo" + b"".join(closed)


ODD = {
    "nothing": b"",
    "null bytes": b"\0" * 500,
    "line ends": b"\r\n" * 50,
    "no headers": b"just some words\nand more",
    "only headers": b"From: x@webmail.example\r\nSubject: x",
    "a header without name": b": x\r\nFrom: x@webmail.example\r\n\r\nx",
    "badly folded": b"Subject: a\r\n b\r\n\tc\r\nd e f\r\nFrom\r\n : x@y.example\r\n\r\nx",
    "8-bit headers": b"Subject: Gr\xfc\xdfe \xff\r\nFrom: \xe9 <x@webmail.example>\r\n\r\nx",
    "broken words": b"Subject: =?utf-8?b?%%%?= =?nope?q?=ZZ?= =?utf-8?b?4pyT\r\nFrom: =?x?y?z?= <>\r\n\r\nx",
    "no end of boundary": b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nabc",
    "no boundary": b"Content-Type: multipart/alternative\r\n\r\nabc",
    "odd content type": b'Content-Type: ;;;="\r\nContent-Transfer-Encoding: \xff\r\n\r\nabc',
    "bad date": b"Date: Tue, 31 Feb 99999 99:99:99 +9999\r\n\r\nx",
    "bad base64": b"Content-Transfer-Encoding: base64\r\n\r\n!!!YQ=YQ==a\xff",
    "bad quoted-printable": b"Content-Transfer-Encoding: quoted-printable\r\n\r\n=ZZ=\xff=3",
    "bad uuencode": b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 x\nM!!\n",
    "report without parts": b"Content-Type: multipart/report; boundary=x\r\n\r\n",
    "surrogates": b"Content-Type: text/plain; charset=utf-8\r\n\r\n\xed\xa0\x80\xed\xb0\x80",
    "xml declaration": b"Content-Type: text/html\r\n\r\n<?xml version='1.0' encoding='utf-16'?><p>x</p>",
    "file name": b"Content-Type: image/png; name*=x''%ff%00; name*0=\"a\"\r\n\r\nx",
}


@pytest.mark.parametrize("what", ODD)
def test_odd_mail_is_unknown_and_no_trouble(what: str) -> None:
    assert understood(ODD[what]).kind == "unknown"


@pytest.mark.parametrize("what", ODD)
def test_odd_mail_from_a_buyer_is_a_buyers_message(what: str) -> None:
    if b"From" not in ODD[what] and b"Content-Type: multipart/report" not in ODD[what]:
        assert understood(FROM_BUYER + ODD[what]).kind == "buyer_message"


@pytest.mark.parametrize("charset", ["x-unknown", "punycode", "idna", "base64", "undefined", "\\", '"', "a" * 999])
def test_odd_character_sets_are_read_somehow(charset: str) -> None:
    body = "Größe \x1b$B!+".encode() + b"\xff"
    raw = FROM_BUYER + f"Content-Type: text/plain; charset={charset}\r\n\r\n".encode() + body
    assert "e" in understood(raw).text


def test_a_mail_of_two_hundred_layers_is_read_to_its_core() -> None:
    assert understood(nested(200)).text == "Hallo"


def test_a_mail_of_more_layers_than_python_can_go_still_has_its_kind() -> None:
    assert understood(nested(5000)).kind == "buyer_message"


MILLION = 1_000_000
HUGE = {
    "one line": b"a" * MILLION,
    "one line of dashes": b"-" * MILLION,
    "runs of dashes": b"------ " * (MILLION // 7),
    "openings": b"------ Message: ------\n" * (MILLION // 23),
    "quotes": b"> x\n" * (MILLION // 4),
    "announcements": (b"On 1 " + b"x" * 150 + b"\n") * (MILLION // 156),
    "header blocks": b"From: a\n" * (MILLION // 8),
    "links": b"http://" * (MILLION // 7),
    "order ids": b"123-1234567-123456" * (MILLION // 18),
    "empty lines": b"\n" * MILLION,
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("what", HUGE)
def test_a_huge_body_is_read_to_its_end(what: str) -> None:
    assert understood(FROM_BUYER + b"\r\n" + HUGE[what]).kind == "buyer_message"


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece", [b"<div>", b"<blockquote>x", b"<", b"<pre style=x>a</pre>", b"&lt;", b"<!--", b"<td>a"]
)
def test_huge_html_is_read_to_its_end(piece: bytes) -> None:
    understood(FROM_BUYER + b"Content-Type: text/html\r\n\r\n" + piece * (MILLION // len(piece)))


# ---------- any bytes

SEEDS = [
    mail(),
    mail(BUYER, SUBJECT, framed(), framed_html(), files=[("a.png", "image/png", b"x")]),
    mail("donotreply@amazon.de", "Ihre E-Mail an Mia", html=reply_html("Hallo")),
    mail("donotreply@amazon.co.jp", "桜庭様へのEメール", "急須", charset="iso-2022-jp"),
    report(),
    SMTP.linesep.encode() * 3,
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A mail with bytes taken out, put in, doubled or cut off."""
    raw = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(raw)))
        end = draw(st.integers(start, min(len(raw), start + 300)))
        raw[start:end] = draw(st.one_of(st.binary(max_size=20), st.just(bytes(raw[start:end]) * 2), st.just(b"")))
    return bytes(raw)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(raw=st.one_of(st.binary(max_size=2000), mutated()))
def test_any_bytes_have_exactly_one_meaning(raw: bytes) -> None:
    assert understood(raw) == understood(raw)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(said=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cf"]), min_size=1, max_size=300))
def test_words_of_a_buyer_are_never_lost(said: str) -> None:
    facts = understood(mail(BUYER, SUBJECT, framed(f"Anfang {said} Schluss")))
    assert facts.text.startswith("Anfang") and facts.text.endswith("Schluss")


FRAMES = sorted({(begin, end) for frame in rules().frames.values() for begin in frame.begin for end in frame.end})
WRITTEN = st.text(st.characters(categories=["L", "M", "N"], include_characters=" .,!?\n"), min_size=1, max_size=400)
MARKS = ("commMgrTok", "Copyright", "no-response-needed", "Amazon-7001234567", "------")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(frame=st.sampled_from(FRAMES), said=WRITTEN.map(str.strip).filter(bool), as_html=st.booleans())
def test_in_every_frame_all_words_of_the_buyer_are_found_and_nothing_else(
    frame: tuple[str, str], said: str, as_html: bool
) -> None:
    body = framed_html(said, *frame) if as_html else None
    facts = understood(mail(BUYER, SUBJECT, None if as_html else framed(said, *frame), body))
    assert "".join(facts.text.split()) == "".join(said.split())
    assert not any(mark in facts.text for mark in MARKS)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(raw=mutated().filter(lambda raw: b"marketplace.amazon.de" in raw))
def test_no_signed_link_is_ever_among_the_words(raw: bytes) -> None:
    facts = understood(raw)
    if facts.kind == "buyer_message":
        assert "no-response-needed" not in facts.text
        assert all(is_seller_central(link.url) for link in facts.links)
