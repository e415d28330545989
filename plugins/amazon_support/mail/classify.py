"""What kind a mail is, how sure that is, and why. One signal among several: Amazon promises none of them."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import parse_qsl, urlsplit

from amazon_support.mail.facts import Kind
from amazon_support.mail.links import is_amazon_link
from amazon_support.mail.parse import ParsedMail
from amazon_support.mail.rules import KindPhrases, rules
from amazon_support.mail.senders import Sender
from amazon_support.mail.words import Reading

TYPE_HEADER = "x-space-notification-type"
LINK_NAMES = frozenset({"communicationname", "customattribute1value", "nt"})
TYPE_NAME = re.compile(r"^[A-Z][A-Z0-9_]{2,60}$", re.ASCII)
REPLY_SENDER = re.compile(r"^do-?not-?reply$")
ACTION = re.compile(r"^Action:\s*(\w+)", re.IGNORECASE | re.MULTILINE)
# Where Amazon says a mail's type: how sure that makes the kind.
SURE = {"header": 0.97, "relay": 0.95, "link": 0.93, "sender": 0.9, "subject": 0.88, "text": 0.7, "shape": 0.6}
AUTHENTIC = 0.02  # more, when the mail is proven to be Amazon's


@dataclass(frozen=True)
class Verdict:
    """kind, how sure (0..1), why; language and name as the subject told them."""

    kind: Kind
    confidence: float
    signals: tuple[str, ...]
    language: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class _Found:
    kind: Kind
    by: str
    signal: str


def classify(mail: ParsedMail, sender: Sender, reading: Reading, subject: str) -> Verdict:
    """The kind of the mail, by the first of these that speaks: failed authentication, a delivery report, the
    buyers' relay, and for Amazon's own mail: header, footer links, sender, subject, text.

    Args:
        reading: the mail's text, read as one that may hold a person's words.
        subject: without Re: and the like.
    """
    said = _subject(subject)
    language, name = said[1:] if said else (None, None)
    signals = [f"auth:{sender.authentication}", f"from:{sender.origin}", *_noticed(mail, sender, reading)]

    def verdict(kind: Kind, confidence: float, *more: str) -> Verdict:
        return Verdict(kind, round(min(confidence, 1), 2), (*signals, *more), language, name)

    if sender.is_imitation:
        return verdict("imitation", 0.97 if sender.authentication == "fail" else 0.85)
    if report := _report(mail, sender, said):
        return verdict("delivery_failure", 0.95, report)
    if sender.origin == "relay":
        return verdict("buyer_message", SURE["relay"] + _proof(sender))
    if sender.origin == "amazon":
        found = _by_amazon(mail, sender, reading, said)
        if found is None:
            return verdict("amazon_information", 0.5 + _proof(sender))
        return verdict(found.kind, SURE[found.by] + _proof(sender), found.signal)
    return verdict("unknown", 0.2)


def is_automatic(mail: ParsedMail) -> bool:
    """Written by a machine in somebody's name: Auto-Submitted (RFC 3834) and its relatives, delivery reports."""
    submitted = mail.header("auto-submitted").partition(";")[0].strip().lower()
    return (
        submitted not in {"", "no"}
        or mail.header("x-amazon-auto-reply").strip().lower() == "true"
        or mail.header("precedence").strip().lower() in {"auto_reply", "auto-reply"}
        or any(mail.header(name) for name in ("x-autoreply", "x-autorespond"))
        or mail.content_type == "multipart/report"
    )


def plain_subject(mail: ParsedMail) -> str:
    """The subject in one line."""
    return " ".join(mail.header("subject").split())


def without_tags(subject: str) -> str:
    """The subject without Re:, [Important] and the like."""
    return rules().tags.sub("", subject)


def _proof(sender: Sender) -> float:
    return AUTHENTIC if sender.authentication == "pass" else 0


def _noticed(mail: ParsedMail, sender: Sender, reading: Reading) -> list[str]:
    """What was seen beside the sender, whether or not it decides."""
    found = [f"frame:{reading.how}"] if reading.how != "none" else []
    if reading.language:
        found.append(f"frame:{reading.language}")
    if is_automatic(mail):
        found.append("automatic")
    if sender.is_doubtful:
        found.append("from:several")
    if notification := _type_header(mail):
        known = notification in rules().notification_types
        found.append(f"header:{notification}" if known else f"header:unknown:{notification}")
    return found


def _type_header(mail: ParsedMail) -> str | None:
    name = mail.header(TYPE_HEADER).strip().upper()
    return name if TYPE_NAME.match(name) else None


def _subject(subject: str) -> tuple[Kind, str, str | None] | None:
    """(kind, language, buyer's name) as the subject has it."""
    return _first(rules().subjects, subject)


def _first(groups: tuple[KindPhrases, ...], text: str) -> tuple[Kind, str, str | None] | None:
    for group in groups:
        if found := group.match(text):
            return group.kind, *found
    return None


def _report(mail: ParsedMail, sender: Sender, said: tuple[Kind, str, str | None] | None) -> str | None:
    """Why the mail is a delivery failure that a mail server reports; None if it is not."""
    if mail.content_type == "multipart/report":
        # A server also reports that it is still trying, or has delivered; and people's programs, that they have read.
        actions = {action.lower() for action in ACTION.findall(mail.returned)}
        has_failed = "failed" in actions or (not actions and mail.report_type == "delivery-status")
        return "report:failed" if has_failed else None
    if sender.origin == "postmaster" and said and said[0] == "delivery_failure":
        return "subject:delivery_failure"
    return None


def _by_amazon(
    mail: ParsedMail, sender: Sender, reading: Reading, said: tuple[Kind, str, str | None] | None
) -> _Found | None:
    """What kind Amazon's own mail is; None if nothing tells."""
    types = rules().notification_types
    if kind := types.get(_type_header(mail) or ""):
        return _Found(kind, "header", "by:header")
    if linked := next((name for name in _linked_types(mail, reading) if name in types), None):
        return _Found(types[linked], "link", f"link:{linked}")
    if kind := _by_sender(rules().senders, sender):
        return _Found(kind, "sender", f"sender:{kind}")
    if said:
        return _Found(said[0], "subject", f"subject:{said[0]}:{said[1]}")
    if kind := _by_sender(rules().senders_after_subject, sender):
        return _Found(kind, "sender", f"sender:{kind}")
    return _by_text(mail, sender, reading)


def _by_sender(senders: dict[str, Kind], sender: Sender) -> Kind | None:
    return next((kind for local, kind in senders.items() if fnmatchcase(sender.address.local, local)), None)


def _by_text(mail: ParsedMail, sender: Sender, reading: Reading) -> _Found | None:
    if REPLY_SENDER.match(sender.address.local) and reading.how in {"block", "words", "shape"}:
        return _Found("reply_copy", "shape", "shape:reply_copy")
    if found := _first(rules().texts, reading.above[:5000]):
        return _Found(found[0], "text", f"text:{found[0]}:{found[1]}")
    return None


def _linked_types(mail: ParsedMail, reading: Reading) -> list[str]:
    """Names of types in links to Amazon, outside of what a person wrote."""
    if reading.how in {"block", "words", "shape"}:
        links = list(reading.links)
    else:
        links = re.findall(r"https://[^\s<>\"']+", mail.html.replace("&amp;", "&") or mail.text)[:100]
    return [
        value.upper()
        for link in links
        if "=" in link and is_amazon_link(link)
        for name, value in parse_qsl(urlsplit(link).query)
        if name.lower() in LINK_NAMES
    ]
