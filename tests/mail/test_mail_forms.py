"""The same words in every form in which mail programs and servers wrap them."""

import base64
import quopri
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from mail_builders import ALIAS, BUYER, FOOTER, LINK, NOON, ORDER, SUBJECT, WORDS, framed, framed_html, mail

from amazon_support.mail import MailFacts, explain

HEAD = f"From: Mia Muster <{ALIAS}>\r\nMessage-ID: <1@x.example>\r\nMIME-Version: 1.0\r\n".encode()
GERMAN = "Größe ß € „so“"
SIGNATURE = b"0\x82\x01 not a real signature"


def read(raw: bytes) -> MailFacts:
    facts = explain(raw, received_at=NOON)
    assert facts.kind == "buyer_message"
    return facts


def part(content_type: str, body: bytes, encoding: str = "8bit") -> bytes:
    return f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode() + body


def multipart(kind: str, *parts: bytes, boundary: str = "b", parameters: str = "") -> bytes:
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"{parameters}\r\n\r\n'.encode()
    between = f"--{boundary}\r\n".encode()
    return head + b"".join(between + each + b"\r\n" for each in parts) + f"--{boundary}--\r\n".encode()


PLAIN = part("text/plain; charset=utf-8", framed().encode())
HTML = part("text/html; charset=utf-8", framed_html().encode())
PHOTO = part('image/jpeg; name="kanne.jpg"', b"/9j/4A==", "base64") + b"\r\n"


# ---------- encodings


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("base64", base64.encodebytes),
        ("quoted-printable", quopri.encodestring),
        ("8bit", bytes),
        ("BASE64", lambda body: base64.b64encode(body)),
        ("x-unknown", bytes),
    ],
)
def test_transfer_encodings(encoding: str, encode: Callable[[bytes], bytes]) -> None:
    raw = HEAD + part("text/plain; charset=utf-8", encode(framed(GERMAN).encode()), encoding)
    assert read(raw).text == GERMAN


@pytest.mark.parametrize("missing", [0, 1, 2, 3])
def test_base64_that_was_cut_off_is_read_to_the_cut(missing: int) -> None:
    whole = base64.b64encode(framed(WORDS).encode())
    at = len(whole) * 2 // 3 + missing
    assert "Teekanne" in read(HEAD + part("text/plain; charset=utf-8", whole[:at], "base64")).text


def test_base64_to_which_a_server_added_more_is_read_whole() -> None:
    body = base64.b64encode(b"Wo ist sie?!") + b"=\r\n" + base64.b64encode(b" Bitte!") + b"\r\n[scanned]\r\n"
    assert read(HEAD + part("text/plain; charset=utf-8", body, "base64")).text.startswith("Wo ist sie?! Bitte!")


@pytest.mark.parametrize(
    ("body", "declared", "expected"),
    [
        (GERMAN.encode("windows-1252"), "iso-8859-1", GERMAN),
        (GERMAN.encode(), "iso-8859-1", GERMAN),
        (GERMAN.encode("utf-16"), "utf-16", GERMAN),
        ("Où ça ?".encode("iso-8859-15"), "iso-8859-15", "Où ça ?"),
        ("zażółć gęślą".encode("iso-8859-2"), "iso-8859-2", "zażółć gęślą"),
        ("zażółć gęślą".encode("windows-1250"), "windows-1250", "zażółć gęślą"),
        ("şikâyet".encode("iso-8859-9"), "iso-8859-9", "şikâyet"),
        ("급함".encode("euc-kr"), "ks_c_5601-1987", "급함"),
        ("急须在哪".encode("gb18030"), "gb2312", "急须在哪"),
        ("急須①㈱".encode("cp932"), "shift_jis", "急須①㈱"),
        ("急須はどこ".encode("iso-2022-jp"), "us-ascii", "急須はどこ"),
        ("أين طلبي".encode("windows-1256"), "windows-1256", "أين طلبي"),
    ],
)
def test_character_sets_under_their_own_and_other_names(body: bytes, declared: str, expected: str) -> None:
    assert read(HEAD + part(f"text/plain; charset={declared}", body)).text == expected


# ---------- structures


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(PLAIN, id="plain"),
        pytest.param(HTML, id="HTML only"),
        pytest.param(multipart("alternative", PLAIN, HTML), id="alternative"),
        pytest.param(multipart("alternative", HTML, PLAIN), id="alternative, HTML first"),
        pytest.param(multipart("mixed", multipart("alternative", PLAIN, HTML, boundary="i"), PHOTO), id="mixed"),
        pytest.param(
            multipart(
                "mixed",
                multipart("related", multipart("alternative", PLAIN, HTML, boundary="i"), PHOTO, boundary="m"),
                PHOTO,
            ),
            id="mixed of related of alternative",
        ),
        pytest.param(multipart("mixed", PLAIN, part("text/plain", b"-- \r\nsent from a phone")), id="two texts"),
        pytest.param(
            multipart("alternative", PLAIN, HTML).replace(b"--b--", b""), id="the end of the boundary is missing"
        ),
        pytest.param(multipart("alternative", PLAIN, HTML).replace(b"\r\n", b"\n"), id="bare line feeds"),
    ],
)
def test_structures(body: bytes) -> None:
    facts = read(HEAD + f"Subject: {SUBJECT}\r\n".encode() + body)
    assert (facts.text, facts.no_response_link, facts.order_ids) == (WORDS, LINK, (ORDER,))


def test_a_signed_mail_is_read_and_its_signature_is_a_file() -> None:
    signature = part('application/pkcs7-signature; name="smime.p7s"', base64.encodebytes(SIGNATURE), "base64")
    parameters = '; protocol="application/pkcs7-signature"; micalg=sha-256'
    raw = HEAD + multipart(
        "signed", multipart("alternative", PLAIN, HTML, boundary="i"), signature, parameters=parameters
    )
    facts = read(raw)
    assert facts.text == WORDS
    assert [(each.name, each.size) for each in facts.attachments] == [("smime.p7s", len(SIGNATURE))]


def test_a_mail_that_was_passed_on_as_a_file_is_nobodys_message() -> None:
    outer = EmailMessage(policy=SMTP)
    outer["From"], outer["Subject"] = "Kim <kim@shop.example>", f"WG: {SUBJECT}"
    outer.set_content("Wer antwortet?")
    inner = EmailMessage(policy=SMTP)
    inner["From"], inner["Subject"] = f"Mia <{ALIAS}>", SUBJECT
    inner.set_content(framed())
    outer.add_attachment(inner)
    facts = explain(outer.as_bytes(), received_at=NOON)
    assert (facts.kind, facts.text, facts.buyer_alias, facts.links) == ("unknown", "Wer antwortet?", None, ())
    assert [each.type for each in facts.attachments] == ["message/rfc822"]


def test_a_mail_that_a_colleague_forwarded_is_for_a_person_to_decide() -> None:
    text = f"Bitte!\n\n---------- Weitergeleitete Nachricht ----------\nVon: Mia <{ALIAS}>\n\n{framed()}"
    facts = explain(mail("kim@shop.example", f"WG: {SUBJECT}", text))
    assert (facts.kind, facts.direction, facts.no_response_link) == ("unknown", "inbound", None)
    assert facts.sender == "kim@shop.example", "so that a person can decide, and make a rule"


def test_what_a_buyer_forwards_to_us_is_kept_where_it_is_all_there_is() -> None:
    text = "---------- Forwarded message ----------\nFrom: shop@webmail.example\n\nThe old answer."
    assert "The old answer." in read(mail(BUYER, SUBJECT, text)).text


def test_an_empty_message_is_a_message_without_words() -> None:
    for raw in (mail(BUYER, SUBJECT, ""), mail(BUYER, SUBJECT, framed(words="")), HEAD):
        assert read(raw).text == ""


def test_a_photo_without_words_is_a_message() -> None:
    facts = read(mail(BUYER, SUBJECT, framed(words=""), files=[("kanne.jpg", "image/jpeg", b"123")]))
    assert (facts.text, len(facts.attachments)) == ("", 1)


def test_null_bytes_are_left_out() -> None:
    assert read(HEAD + part("text/plain; charset=utf-8", framed("Wo\0 ist\0 sie?").encode())).text == "Wo ist sie?"


# ---------- headers


@pytest.mark.parametrize(
    "subject",
    [
        b"=?utf-8?B?" + base64.b64encode(SUBJECT.encode()) + b"?=",
        b"=?utf-8?q?" + quopri.encodestring(SUBJECT.encode(), header=True).replace(b"=\n", b"") + b"?=",
        SUBJECT.encode(),
        SUBJECT.replace(" (", "\r\n (").encode(),
        b"=?UTF-8?B?" + base64.b64encode(SUBJECT[:20].encode()) + b"?=\r\n =?UTF-8?B?"
        + base64.b64encode(SUBJECT[20:].encode()) + b"?=",
        b"=?utf-8?B?" + base64.b64encode(SUBJECT.encode()).rstrip(b"=") + b"?=",
    ],
)  # fmt: skip
def test_subjects_folded_and_encoded(subject: bytes) -> None:
    facts = read(HEAD + b"Subject: " + subject + b"\r\n\r\n" + framed().encode())
    assert (facts.subject, facts.order_ids[0]) == (SUBJECT, ORDER)


def test_a_character_that_was_cut_between_two_encoded_words_is_whole_again() -> None:
    data = "Größe".encode()
    words = b" ".join(b"=?utf-8?B?" + base64.b64encode(each) + b"?=" for each in (data[:3], data[3:]))
    assert read(HEAD + b"Subject: " + words + b"\r\n\r\nx").subject == "Größe"


@pytest.mark.parametrize(
    ("date", "sent"),
    [
        ("", NOON),
        ("Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n", NOON),
        ("Date: Tue, 10 Mar 2099 12:00:00 +0000\r\n", NOON),
        ("Date: 10 Mar 26 11:00 GMT\r\n", datetime(2026, 3, 10, 11, tzinfo=UTC)),
        ("Date: Tue, 10 Mar 2026 11:00:00 -0000\r\n", datetime(2026, 3, 10, 11, tzinfo=UTC)),
        ("Date: Tue, 10 Mar 2026 06:00:00 EST\r\n", datetime(2026, 3, 10, 11, tzinfo=UTC)),
    ],
)
def test_dates_missing_in_1970_in_the_future_and_in_old_forms(date: str, sent: datetime) -> None:
    assert read(HEAD + date.encode() + b"\r\n" + framed().encode()).sent_at == sent


def test_the_footer_alone_says_nothing() -> None:
    facts = read(mail(BUYER, SUBJECT, framed(words="", footer=FOOTER)))
    assert facts.text == ""
