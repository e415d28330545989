"""One mail in, what it means out."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from amazon_support.mail import extract, links, notices, outcomes
from amazon_support.mail.classify import classify, is_automatic, plain_subject, without_tags
from amazon_support.mail.facts import Direction, Kind, MailFacts
from amazon_support.mail.parse import ParsedMail, parse
from amazon_support.mail.rules import sites
from amazon_support.mail.senders import Sender, read_sender
from amazon_support.mail.times import Place, read_deadlines
from amazon_support.mail.words import Reading, customer_service_words, read_words

DIRECTIONS: dict[Kind, Direction] = {
    "buyer_message": "inbound",
    "unknown": "inbound",
    "imitation": "inbound",
    "reply_copy": "outbound",
}
FROM_PEOPLE = frozenset({"buyer_message", "reply_copy"})
NOT_AMAZONS = frozenset({"unknown", "imitation"})
ABOUT_A_BUYER = frozenset({"buyer_message", "delivery_failure", "buyer_opted_out"})
ABOUT_MONEY = frozenset(
    {"return_request", "refund_notice", "a_to_z_opened", "a_to_z_decided", "chargeback", "amazon_information"}
)
# Kinds whose sentences may tell a deadline; in others "within 30 days" is a rule for the buyer.
WITH_DEADLINE = frozenset(
    {"a_to_z_opened", "chargeback", "cancellation_request", "performance_notification", "case_update"}
)
DECIDED = frozenset({"a_to_z_decided", "chargeback"})


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
    site = sites().by_country.get(country or "")
    message_id = extract.message_id(mail)
    sent_at = extract.sent_at(mail, received_at)
    listed = _listed(mail, sender, kind, reading, subject, Place(sent_at, site))
    own_links = links.seller_central_links(_own_links(mail, kind, reading))
    no_response = links.no_response_link(own_links) if kind == "buyer_message" else None
    thread_key, message_key = links.conversation_keys(no_response, alias)
    return MailFacts(
        mail_id=_identity(raw, kind, message_id, (thread_key, message_key)),
        kind=kind,
        confidence=verdict.confidence,
        signals=(*verdict.signals, *listed.pop("signals", ())),
        direction=DIRECTIONS.get(kind, "system"),
        is_automatic=is_automatic(mail),
        sender=(sender.address.address.lower() or None) if kind == "unknown" else None,
        marketplace=country,
        order_ids=extract.order_ids(subject, *everything),
        case_id=_case(kind, extract.support_case(subject, body), extract.conversation(reading, sender, body)),
        buyer_name=extract.buyer_name(sender, verdict.name) if kind in FROM_PEOPLE else None,
        buyer_alias=alias,
        sent_at=sent_at,
        language=extract.language_of(text, site, verdict.language, reading.language),
        asks=outcomes.asks(text) if kind == "buyer_message" else None,
        rating=extract.rating(subject, body) if kind == "feedback_notice" else None,
        subject=subject,
        message_id=message_id,
        in_reply_to=extract.answered_id(mail),
        thread_key=thread_key,
        message_key=message_key,
        links=own_links,
        no_response_link=no_response,
        delivered_to_tags=extract.delivered_to_tags(mail),
        attachments=mail.attachments,
        text=text,
        **listed,
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


def _identity(raw: bytes, kind: Kind, message_id: str | None, keys: tuple[str | None, str | None]) -> str:
    """Amazon's own name of the message is surest: its copies to several addresses have different Message-IDs. Whoever
    imitates a mail must not take its name away from it."""
    if kind == "imitation" or not (message_id or all(keys)):
        return hashlib.sha256(raw).hexdigest()
    name = "/".join(map(str, keys)) if all(keys) else message_id
    return hashlib.sha256(str(name).encode()).hexdigest()


def _text(mail: ParsedMail, kind: Kind, reading: Reading, body: str) -> str:
    """What the person wrote; of Amazon's own mail, what it says."""
    if kind not in FROM_PEOPLE:
        return body
    if _is_from_customer_service(kind, reading) and (words := customer_service_words(mail)):
        return words
    return reading.words


def _case(kind: Kind, support: str | None, conversation: str | None) -> str | None:
    if kind == "case_update":
        return support
    return conversation if kind in FROM_PEOPLE else None


def _is_from_customer_service(kind: Kind, reading: Reading) -> bool:
    return kind == "buyer_message" and reading.how == "none"


def _own_links(mail: ParsedMail, kind: Kind, reading: Reading) -> Iterable[str]:
    """Targets of the links that Amazon wrote; none of them in a mail that is not Amazon's."""
    if kind in NOT_AMAZONS:
        return ()
    if kind in FROM_PEOPLE:
        return reading.links
    return (target for body in mail.bodies for _, target in body.links)


def _listed(
    mail: ParsedMail, sender: Sender, kind: Kind, reading: Reading, subject: str, place: Place
) -> dict[str, Any]:
    """What the mail lists and decides, as fields of MailFacts; nothing of a mail that is not Amazon's."""
    if kind in NOT_AMAZONS:
        return {}
    if kind in FROM_PEOPLE and not (_is_from_customer_service(kind, reading) and customer_service_words(mail)):
        return {"products": notices.order_lines(reading.above) if reading.how != "quoted" else ()}
    return _notice(mail, sender, kind, subject, place)


def _notice(mail: ParsedMail, sender: Sender, kind: Kind, subject: str, place: Place) -> dict[str, Any]:
    text = mail.bodies[0].text if mail.bodies else ""
    listed = notices.read_listed(mail.bodies)
    products = notices.products(listed, (subject, text), place.site)
    paid, how = notices.amount(listed, text, place.site) if kind in ABOUT_MONEY else (None, None)
    sentences = text if kind in WITH_DEADLINE | DECIDED else ""
    due = read_deadlines(sentences, listed.values.get("deadline", []), place, is_decided=kind == "a_to_z_decided")
    tracking, carrier = notices.tracking(listed)
    return {
        "signals": (*([how] if how else []), *due.why),
        "products": products,
        "amount": paid.figure if paid else None,
        "currency": paid.currency if paid else None,
        "reason": notices.shared(listed, products, "reason"),
        "comment": notices.shared(listed, products, "comment"),
        "deadline": due.deadline,
        "appeal_until": due.appeal_until,
        "decision": outcomes.decision(sender, text) if kind in DECIDED else None,
        "case_status": outcomes.case_status(subject, text) if kind == "case_update" else None,
        "performance_issue": outcomes.performance_issue(subject, text) if kind == "performance_notification" else None,
        "tracking": tracking,
        "carrier": carrier,
    }
