"""Every kind of mail in every language, in the encodings that real mail has: kind, order, money, dates, words."""

from datetime import timedelta
from decimal import Decimal
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest
import yaml
from mail_builders import DASHES, NOON, checked, framed_html, reply_html
from mail_builders import ORDER as ANOTHER_ORDER

from amazon_support import settings
from amazon_support.mail import MailFacts, explain

CORPUS: dict[str, dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("corpus.yaml").read_text(encoding="utf-8"))
SITES = settings.load().by_country
ORDER = "302-7654321-1234567"
KINDS = [kind for kind in CORPUS["en"] if kind not in ("site", "name")]
# Each language in another transfer encoding and charset: all of them have been seen.
ENCODINGS = {
    "en": ("us-ascii", "7bit"), "de": ("utf-8", "quoted-printable"), "fr": ("iso-8859-15", "quoted-printable"),
    "it": ("windows-1252", "base64"), "es": ("utf-8", "base64"), "nl": ("utf-8", "8bit"), "sv": ("iso-8859-1", "8bit"),
    "pl": ("iso-8859-2", "base64"), "pt": ("utf-8", "quoted-printable"), "tr": ("iso-8859-9", "base64"),
    "ja": ("iso-2022-jp", "7bit"),
}  # fmt: skip
SENDERS = {"reply_copy": "donotreply", "delivery_failure": "donotreply", "performance_notification": "no-reply"}


def letter(language: str, kind: str) -> bytes:
    """The mail of the corpus, as it would arrive."""
    of = CORPUS[language]
    subject, *texts = [part.format(order=ORDER, name=of["name"]) for part in of[kind] if isinstance(part, str)]
    domain = SITES[of["site"]].domain
    charset, encoding = ENCODINGS[language]
    message = EmailMessage(policy=SMTP)
    sender = f"{of['name']} - Amazon Marketplace <k2j4h6g8f1d3@marketplace.{domain}>"
    if kind != "buyer_message":
        sender = f"{SENDERS.get(kind, 'seller-notification')}@{domain}"
    message["Authentication-Results"] = checked(f"marketplace.{domain}" if kind == "buyer_message" else domain, "pass")
    message["Date"] = NOON
    message["From"] = sender
    message["To"] = "support@shop.example"
    message["Message-ID"] = f"<{language}.{kind}@eu-west-1.amazonses.com>"
    message["Subject"] = subject
    text = texts[0]
    if kind in ("buyer_message", "reply_copy"):
        begin, end, words = texts
        text = f"{ORDER}\n\n{DASHES} {begin} {DASHES}\n\n{words}\n\n{DASHES} {end} {DASHES}\n\n© Amazon"
        html = framed_html(words, begin, end) if kind == "buyer_message" else reply_html(words, begin, end, ORDER)
        if language in ("fr", "es", "tr"):  # HTML only
            message.set_content(html.replace(ANOTHER_ORDER, ORDER), subtype="html", charset="utf-8", cte=encoding)
            return message.as_bytes()
    if not _fits(text, charset):
        charset, encoding = "utf-8", "base64"
    message.set_content(text, charset=charset, cte=encoding)
    return message.as_bytes()


def _fits(text: str, charset: str) -> bool:
    try:
        return bool(text.encode(charset))
    except UnicodeEncodeError:
        return False


def understood(language: str, kind: str) -> MailFacts:
    return explain(letter(language, kind), received_at=NOON + timedelta(minutes=1))


EVERY = [(language, kind) for language in CORPUS for kind in KINDS]


def test_there_are_at_least_120_mails() -> None:
    assert len(EVERY) >= 120
    assert all(set(KINDS) < set(CORPUS[language]) for language in CORPUS)


@pytest.mark.parametrize(("language", "kind"), EVERY)
def test_kind_and_site_are_found(language: str, kind: str) -> None:
    facts = understood(language, kind)
    assert (facts.kind, facts.marketplace) == (kind, CORPUS[language]["site"])
    assert facts.sent_at == NOON
    assert facts.confidence >= 0.5


@pytest.mark.parametrize(("language", "kind"), [(la, k) for la, k in EVERY if k != "performance_notification"])
def test_the_order_is_found(language: str, kind: str) -> None:
    assert understood(language, kind).order_ids == (ORDER,)


@pytest.mark.parametrize("kind", ["buyer_message", "reply_copy"])
@pytest.mark.parametrize("language", CORPUS)
def test_the_words_a_person_wrote_are_found_whole(language: str, kind: str) -> None:
    facts = understood(language, kind)
    assert facts.text == CORPUS[language][kind][3]
    assert facts.language == language
    assert facts.buyer_name == CORPUS[language]["name"]


@pytest.mark.parametrize(("language", "kind"), [(la, k) for la, k in EVERY if isinstance(CORPUS[la][k][-1], dict)])
def test_what_a_notice_says_is_found(language: str, kind: str) -> None:
    facts, says = understood(language, kind), dict(CORPUS[language][kind][-1])
    if days := says.pop("deadline_days", None):
        assert facts.deadline is not None
        assert timedelta(days=days) <= facts.deadline - NOON <= timedelta(days=days + 1)
    if quantity := says.pop("quantity", None):
        assert [product.quantity for product in facts.products] == [quantity]
    if amount := says.pop("amount", None):
        assert Decimal(facts.amount or 0) == Decimal(amount)
    assert {name: getattr(facts, name) for name in says} == says


# ---------- the buyer's own words, in scripts of other languages


@pytest.mark.parametrize(
    ("site", "language", "words"),
    [
        ("AE", "ar", "أين طلبي؟ لم يصل الطرد بعد وأنا أنتظره منذ أسبوع."),
        ("SA", "ar", "المنتج مكسور، أريد استرداد المبلغ من فضلكم."),
        ("IN", "hi", "मेरा पार्सल कहाँ है? वह अभी तक नहीं आया।"),
        ("DE", None, "📦❓"),
    ],
)
def test_words_in_any_script_are_kept_as_they_are(site: str, language: str | None, words: str) -> None:
    domain = SITES[site].domain
    message = EmailMessage(policy=SMTP)
    message["Authentication-Results"] = checked(f"marketplace.{domain}", "pass")
    message["Date"] = NOON
    message["From"] = f"Amal <k2j4h6g8f1d3@marketplace.{domain}>"
    message["Subject"] = f"Inquiry from Amazon customer Amal (Order: {ORDER})"
    message.set_content(
        f"{DASHES} Begin message {DASHES}\n\n{words}\n\n{DASHES} End message {DASHES}\n", charset="utf-8"
    )
    facts = explain(message.as_bytes())
    assert (facts.kind, facts.marketplace, facts.text) == ("buyer_message", site, words)
    if language:
        assert facts.language == language
