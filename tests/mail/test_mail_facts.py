"""What a mail says beside its kind and words: order, buyer, marketplace, time, files, links."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from mail_builders import (
    ALIAS,
    BUYER,
    DASHES,
    LINK,
    NOON,
    ORDER,
    REPORT,
    SUBJECT,
    framed,
    framed_html,
    mail,
    reply_html,
)

from amazon_support.mail import MailFacts, explain, render, unreadable
from amazon_support.mail.extract import order_ids
from amazon_support.mail.links import is_seller_central
from amazon_support.mail.parse import safe_name
from amazon_support.mail.rules import sites


def of_buyer(text: str | None = None, **options: object) -> MailFacts:
    return explain(mail(BUYER, SUBJECT, framed() if text is None else text, **options))  # type: ignore[arg-type]


def test_a_buyers_message_with_everything() -> None:
    facts = explain(mail(BUYER, SUBJECT, framed(), framed_html(), headers=[("In-Reply-To", "<2@x.example>")]))
    assert facts.order_ids == (ORDER,)
    assert facts.case_id == "7001234567"
    assert (facts.buyer_name, facts.buyer_alias) == ("Mia Muster", ALIAS)
    assert (facts.marketplace, facts.language, facts.account) == ("DE", "de", None)
    assert (facts.message_id, facts.in_reply_to) == ("<1@eu-west-1.amazonses.com>", "<2@x.example>")
    assert (facts.sent_at, facts.no_response_link, facts.attachments) == (NOON, LINK, ())


def test_facts_are_one_json_object_and_one_table() -> None:
    facts = of_buyer(files=[("riss.png", "image/png", b"123")])
    assert MailFacts.model_validate_json(facts.model_dump_json()) == facts
    assert json.loads(facts.model_dump_json())["attachments"] == [{"name": "riss.png", "type": "image/png", "size": 3}]
    lines = render(facts).splitlines()
    assert ["kind", "buyer_message"] in [line.split() for line in lines]
    assert "riss.png (image/png, 3 bytes)" in " ".join(lines)
    assert lines[-1] == "Mia Muster"


def test_a_mail_that_could_not_be_read_is_for_a_person() -> None:
    facts = unreadable("ab" * 32, NOON)
    assert (facts.kind, facts.confidence, facts.sent_at, facts.mail_id) == ("unknown", 0, NOON, "ab" * 32)
    assert facts.signals == ("failed:reading",)


# ---------- orders


@pytest.mark.parametrize("order_id", [ORDER, "D01-1234567-1234567", "S01-1234567-1234567"])
@pytest.mark.parametrize("around", ["{}", "({})", "# {}:", "Bestellung:{}.", "orderId={}&x", "„{}“", "注文番号{}の"])
def test_order_ids_are_found_anywhere(order_id: str, around: str) -> None:
    assert order_ids(around.format(order_id)) == (order_id,)


@pytest.mark.parametrize(
    "text",
    [
        "030-1234567-89",
        "+49 030-1234567-1234567-1",
        "SAFE-T 12345-12345-1234567",
        "DE89 3704-0044-0532-0130",
        "1302-1234567-1234567",
        "302-1234567-12345678",
        "302-123456-1234567",
        "3021234567 1234567",
    ],
)
def test_numbers_that_look_alike_are_no_order_ids(text: str) -> None:
    assert order_ids(text) == ()


def test_order_ids_come_in_order_each_once_subject_first() -> None:
    other = "302-7654321-7654321"
    assert of_buyer(framed(f"Und {other}? Und {ORDER}?")).order_ids == (ORDER, other)


def test_other_hyphens_and_digits_are_read_as_the_usual_ones() -> None:
    assert order_ids("302‑1234567–１２３４５６７") == (ORDER,)


def test_a_question_before_buying_has_no_order() -> None:
    assert explain(mail(BUYER, "Anfrage von Amazon-Kunde Mia", "Ist ein Deckel dabei?")).order_ids == ()


# ---------- case and buyer


def test_the_conversation_is_found_in_link_token_or_alias() -> None:
    assert of_buyer(framed(footer=REPORT)).case_id == "7001234567"
    assert of_buyer(framed(footer="SPC-EUAmazon-7001234567")).case_id == "7001234567"
    case = "0b9a3c1e-1111-4222-8333-444455556666"
    alias = ALIAS.replace("@", f"+{case}@")
    facts = explain(mail(("Mia", alias), "Frage", "Hallo"))
    assert (facts.case_id, facts.buyer_alias) == (case, ALIAS)


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("[CASE 1234567890] Missing units", ""),
        ("RE:[CASE 1234567890] x", ""),
        ("[Case ID:1234567890] *Your Help Needed*", ""),
        ("[Case ID 1234567890] *UPDATE*", ""),
        ("About your case", "Case ID: 1234567890\n"),
        ("Ihr Fall", "Fall-ID: 1234567890"),
    ],
)
def test_numbers_of_seller_support_cases(subject: str, text: str) -> None:
    facts = explain(mail("merch.service05@amazon.com", subject, text))
    assert (facts.kind, facts.case_id) == ("case_update", "1234567890")


@pytest.mark.parametrize(
    ("shown", "name"),
    [
        ("Mia Muster - Amazon Marketplace", "Mia Muster"),
        ("Mia Muster", "Mia Muster"),
        ("桜庭美咲 - Amazonマーケットプレイス", "桜庭美咲"),
        ("O'Dell, Zoë - Amazon Marketplace", "O'Dell, Zoë"),
        ("Mia \u202eretsuM", "Mia retsuM"),
        ("", "Mia Muster"),
    ],
)
def test_names_of_buyers(shown: str, name: str) -> None:
    assert explain(mail((shown, ALIAS), SUBJECT, "Hallo")).buyer_name == name


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        ("Your e-mail to Mia Muster", "Mia Muster"),
        ("Ihre E-Mail an Mia von der Au", "Mia von der Au"),
        ("Votre e-mail à Éloïse (Commande : 402-1234567-1234567)", "Éloïse"),
        ("Tu correo electrónico a Íñigo", "Íñigo"),
        ("桜庭美咲様へのEメール", "桜庭美咲"),
    ],
)
def test_names_in_copies_of_our_replies(subject: str, name: str) -> None:
    assert explain(mail("donotreply@amazon.com", subject, html=reply_html("Hallo"))).buyer_name == name


def test_the_alias_of_an_opt_out_is_in_its_mailto_link() -> None:
    html = f"<p>Mia</p><a href='mailto:{ALIAS.upper()}'>Mia</a> {ORDER}"
    facts = explain(mail("auto-communication@amazon.com", "Your message", html=html))
    assert (facts.kind, facts.buyer_alias, facts.marketplace) == ("buyer_opted_out", ALIAS, "DE")


# ---------- marketplace


@pytest.mark.parametrize("country", sites().by_country)
def test_the_marketplace_by_header_by_domain_and_by_our_address(country: str) -> None:
    site = sites().by_country[country]
    by_header = mail("a@amazon.com", "x", "x", headers=[("X-Marketplace-ID", site.marketplace_id)])
    by_relay = mail(f"abcd1234@marketplace.{site.domain}", "x", "x", to="support+us@shop.example")
    by_tag = mail("a@amazon.com", "x", "x", to=f"support+{country.lower()}@shop.example")
    link = f"<a href='https://www.amazon.com/survey?marketplaceId={site.marketplace_id}'>x</a></body>"
    by_link = mail("donotreply@amazon.com", "Your e-mail to Mia", html=reply_html("x").replace("</body>", link))
    assert [explain(raw).marketplace for raw in (by_header, by_relay, by_tag, by_link)] == [country] * 4


def test_amazon_com_is_the_us_unless_something_says_better() -> None:
    assert explain(mail("a@amazon.com", "x", "x")).marketplace == "US"
    assert explain(mail("a@amazon.com", f"order {ORDER}", "x")).marketplace == "US"
    assert explain(mail("a@amazon.com", "x", "x", to="support+gb@shop.example")).marketplace == "UK"


def test_a_stranger_says_nothing_of_a_marketplace() -> None:
    headers = [("X-Marketplace-ID", "A1PA6795UKMFR9")]
    assert explain(mail("x@webmail.example", f"order {ORDER}", "x", headers=headers)).marketplace is None


# ---------- time and identity


def dated(date: str | None, received: str | None = None) -> bytes:
    lines = [f"Received: from x by y; {received}"] if received else []
    lines += [f"Date: {date}"] if date is not None else []
    return "\r\n".join([*lines, "From: x@webmail.example", "", "x"]).encode()


HOUR = timedelta(hours=1)


def test_the_time_that_counts_is_the_mails_own_date() -> None:
    assert explain(dated("Tue, 10 Mar 2026 13:00:00 +0100"), received_at=NOON + 5 * HOUR).sent_at == NOON


def test_a_date_after_receipt_is_not_believed() -> None:
    late = format_datetime(NOON + 9 * HOUR)
    assert explain(dated(late), received_at=NOON).sent_at == NOON
    assert explain(dated(late, received=format_datetime(NOON))).sent_at == NOON


@pytest.mark.parametrize(
    "date",
    [
        None,
        "",
        "yesterday",
        "Tue, 99 Mar 2026 13:00:00",
        "Thu, 01 Jan 1970 00:00:00 +0000",
        "Tue, 10 Mar 2026 13:00:00 +9999999",
        "0" * 5000,
    ],
)
def test_without_a_readable_date_receipt_counts(date: str | None) -> None:
    assert explain(dated(date), received_at=NOON).sent_at == NOON
    assert explain(dated(date, received=format_datetime(NOON))).sent_at == NOON
    assert explain(dated(date)).sent_at is None


def test_a_date_without_zone_is_utc() -> None:
    assert explain(dated("Tue, 10 Mar 2026 12:00:00")).sent_at == datetime(2026, 3, 10, 12, tzinfo=UTC)


def test_one_message_id_is_one_mail_in_whichever_mailbox() -> None:
    first, second = mail(to="a@shop.example"), mail(to="b@shop.example")
    assert first != second
    assert explain(first).mail_id == explain(second).mail_id


def test_without_message_id_the_bytes_are_the_identity() -> None:
    first, second = b"Subject: x\r\n\r\na", b"Subject: x\r\n\r\nb"
    assert explain(first).mail_id != explain(second).mail_id
    assert explain(first).mail_id == explain(first).mail_id


# ---------- links


@pytest.mark.parametrize(
    "link",
    [
        "https://sellercentral.amazon.de.evil.example/messaging/no-response-needed?t=1",
        "https://sellercentral.amazon.de@evil.example/messaging/no-response-needed?t=1",
        "https://sellercentral.amazon.de:8443/messaging/no-response-needed?t=1",
        "https://sellercentral.amazon.de\\@evil.example/messaging/no-response-needed?t=1",
        "http://sellercentral.amazon.de/messaging/no-response-needed?t=1",
        "https://sellercentral.amazon.zz/messaging/no-response-needed?t=1",
        "https://evil.example/?https://sellercentral.amazon.de/messaging/no-response-needed?t=1",
        "javascript:alert(1)//sellercentral.amazon.de/messaging/no-response-needed",
        "https://sellercentral.amazon.de/other?x=no-response-needed",
    ],
)
def test_a_link_to_any_other_place_is_not_taken(link: str) -> None:
    assert of_buyer(framed(footer=link)).no_response_link is None
    html = framed_html().replace(LINK.replace("&", "&amp;"), link)
    assert explain(mail(BUYER, SUBJECT, html=html)).no_response_link is None


@pytest.mark.parametrize("domain", sites().by_domain)
def test_every_site_has_a_seller_central(domain: str) -> None:
    assert is_seller_central(f"https://sellercentral.{domain}/home")


def test_the_older_link_is_taken_unchanged() -> None:
    link = "https://sellercentral.amazon.de/gp/communication-manager/no-response-needed.html?msg=AbC%2F1==&a=B"
    assert of_buyer(framed(footer=link)).no_response_link == link


def test_a_link_above_the_end_of_the_frame_is_never_taken() -> None:
    assert of_buyer(framed(f"Hier: {LINK}", footer="")).no_response_link is None
    assert of_buyer(f"Hallo {LINK}").no_response_link is None
    assert of_buyer(f"{LINK}\n{DASHES} Nachricht: {DASHES}\nHallo\n{DASHES * 2}").no_response_link is None


# ---------- files


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("foto.jpg", "foto.jpg"),
        ("画像.png", "画像.png"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\x.html", "x.html"),
        ("C:\\a\\b.exe", "b.exe"),
        ("invoice\u202egpj.exe", "invoicegpj.exe"),
        ("a\x00b\r\n.txt", "ab.txt"),
        ("....", ""),
        (".htaccess", "htaccess"),
        ("a..b...png", "a.b.png"),
        ('a<b>:"|?*.png', "a_b______.png"),
        ("x" * 500 + ".jpeg", "x" * 100 + ".jpeg"),
        ("", ""),
    ],
)
def test_names_of_files_are_made_safe(given: str, safe: str) -> None:
    assert safe_name(given) == safe


def test_attachments_have_name_type_and_size() -> None:
    facts = of_buyer(files=[("../../riss.png", "image/png", b"1" * 5000), ("...", "application/pdf", b"")])
    assert [tuple(each.model_dump().values()) for each in facts.attachments] == [
        ("riss.png", "image/png", 5000),
        ("attachment-2", "application/pdf", 0),
    ]


def test_a_mail_that_is_forwarded_as_a_file_is_an_attachment() -> None:
    raw = (
        b"From: x@webmail.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSiehe unten\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + mail() + b"\r\n--b--\r\n"
    )
    facts = explain(raw)
    assert (facts.kind, facts.text, [each.type for each in facts.attachments]) == (
        "unknown", "Siehe unten", ["message/rfc822"],
    )  # fmt: skip


# ---------- rating and language


@pytest.mark.parametrize(
    ("subject", "text", "stars"),
    [
        (f"A buyer left feedback for order {ORDER}: 1 out of 5 stars", "", 1),
        ("Neue Verkäuferbewertung: 2 von 5 Sternen", "", 2),
        ("Nouvelle évaluation : 3 étoiles sur 5", "", 3),
        ("Nuovo feedback: 2 stelle su 5", "", 2),
        ("Nueva valoración: 1 estrellas de 5", "", 1),
        ("注文番号 503-1234567-1234567 の評価: 5つ星のうち3", "", 3),
        ("Seller feedback", "Rating: 2 / 5", 2),
        ("Seller feedback", "no number here 7/5", None),
    ],
)
def test_stars_of_feedback(subject: str, text: str, stars: int | None) -> None:
    facts = explain(mail("donotreply@amazon.com", subject, text))
    assert (facts.kind, facts.rating) == ("feedback_notice", stars)


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ("Where is the parcel and why have you not sent it?", "en"),
        ("Wo ist mein Paket? Ich habe es nicht bekommen.", "de"),
        ("Où est mon colis ? Je n'ai pas reçu les articles.", "fr"),
        ("Il mio pacco non è arrivato, grazie.", "it"),
        ("El paquete no ha llegado, gracias por su respuesta.", "es"),
        ("荷物が届きません。", "ja"),
        ("???", "de"),
    ],
)
def test_the_language_is_that_of_the_words(said: str, language: str) -> None:
    # a German subject in a Spanish shell is real
    assert of_buyer(framed(said, "Mensaje:", "Fin del mensaje")).language == language
