"""One mail in, what it means out."""

import hashlib
from datetime import datetime

from amazon_support.mail import extract
from amazon_support.mail.classify import classify, is_automatic, plain_subject, without_tags
from amazon_support.mail.facts import Direction, Kind, MailFacts
from amazon_support.mail.parse import ParsedMail, parse
from amazon_support.mail.rules import sites
from amazon_support.mail.senders import read_sender
from amazon_support.mail.words import Reading, customer_service_words, read_words

DIRECTIONS: dict[Kind, Direction] = {
    "buyer_message": "inbound",
    "unknown": "inbound",
    "imitation": "inbound",
    "reply_copy": "outbound",
}
FROM_PEOPLE = frozenset({"buyer_message", "reply_copy"})
ABOUT_A_BUYER = frozenset({"buyer_message", "delivery_failure", "buyer_opted_out"})


def explain(raw: bytes, *, received_at: datetime | None = None) -> MailFacts:
    """What the mail means. Never raises because of the mail: any bytes have a meaning, if only `unknown`.

    Args:
        raw: the mail as it was received.
        received_at: aware; when our server got it. Without it the topmost Received header tells.

    Raises: SettingsError if mail_rules.yaml or marketplaces.yaml is wrong.
    """
    mail = parse(raw)
    sender = read_sender(mail)
    reading = read_words(mail)
    subject = plain_subject(mail)
    verdict = classify(mail, sender, reading, without_tags(subject))
    kind = verdict.kind
    body = mail.body
    text = _text(mail, kind, reading, body)
    everything = (body, mail.returned)
    alias = extract.buyer_alias(mail, sender, (*everything, mail.html)) if kind in ABOUT_A_BUYER else None
    country = extract.marketplace(mail, sender, alias, reading.links)
    message_id = extract.message_id(mail)
    return MailFacts(
        mail_id=hashlib.sha256(message_id.encode() if message_id else raw).hexdigest(),
        kind=kind,
        confidence=verdict.confidence,
        signals=verdict.signals,
        direction=DIRECTIONS.get(kind, "system"),
        is_automatic=is_automatic(mail),
        marketplace=country,
        order_ids=extract.order_ids(subject, *everything),
        case_id=_case(kind, extract.support_case(subject, body), extract.conversation(reading, sender, body)),
        buyer_name=extract.buyer_name(sender, verdict.name) if kind in FROM_PEOPLE else None,
        buyer_alias=alias,
        sent_at=extract.sent_at(mail, received_at),
        language=extract.language_of(text, sites().by_country.get(country or ""), verdict.language, reading.language),
        rating=extract.rating(subject, body) if kind == "feedback_notice" else None,
        subject=subject,
        message_id=message_id,
        in_reply_to=extract.answered_id(mail),
        no_response_link=extract.no_response_link(reading.links) if kind == "buyer_message" else None,
        attachments=mail.attachments,
        text=text,
    )


def unreadable(name: str, received_at: datetime) -> MailFacts:
    """What is said of a mail that could not be explained, so that a person looks at it.

    Args:
        name: sha256 hex of the mail's bytes, as the archive names it.
    """
    return MailFacts(
        mail_id=name,
        kind="unknown",
        confidence=0,
        signals=("failed:reading",),
        direction="inbound",
        sent_at=received_at,
    )


def render(facts: MailFacts) -> str:
    """The facts as an aligned table for a terminal, one a line, the text last."""
    rows = {name: _shown(value) for name, value in facts.model_dump(mode="json", exclude={"text"}).items()}
    width = max(map(len, rows))
    lines = [f"{name:<{width}}  {value}".rstrip() for name, value in rows.items()]
    return "\n".join([*lines, "", facts.text])


def _shown(value: object) -> str:
    if value is None or value == "" or value == []:
        return "-"
    if isinstance(value, dict):
        return f"{value['name']} ({value['type']}, {value['size']} bytes)"
    if isinstance(value, list):
        return ", ".join(_shown(each) for each in value)
    return str(value)


def _text(mail: ParsedMail, kind: Kind, reading: Reading, body: str) -> str:
    """What the person wrote; of Amazon's own mail, what it says."""
    if kind not in FROM_PEOPLE:
        return body
    if kind == "buyer_message" and reading.how == "none" and (words := customer_service_words(mail)):
        return words
    return reading.words


def _case(kind: Kind, support: str | None, conversation: str | None) -> str | None:
    if kind == "case_update":
        return support
    return conversation if kind in FROM_PEOPLE else None
