"""Order ids, case, buyer, marketplace, dates and links: what a mail says beside its kind."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from amazon_support.mail.links import is_amazon_link, is_seller_central
from amazon_support.mail.parse import Address, ParsedMail, parse_date, safe_line
from amazon_support.mail.rules import rules, sites
from amazon_support.mail.senders import Sender, amazon_site, is_relay
from amazon_support.mail.words import Reading
from amazon_support.settings import Marketplace

# Telephone numbers, IBANs and SAFE-T ids (5-5-7 digits) look alike: nothing that goes on may stand beside it.
ORDER_ID = re.compile(r"(?<![0-9-])(?:[0-9]{3}|(?<![A-Za-z])[DS]01)-[0-9]{7}-[0-9]{7}(?![0-9-])")
HYPHENS = str.maketrans(dict.fromkeys("‐‑‒–−－", "-"))
MOST_ORDER_IDS = 20
SPC = re.compile(r"\bSPC-\w{0,20}Amazon-([0-9]{5,20})\b")
MESSAGE_ID = re.compile(r"<[^<>\s]{1,990}>")
RELAY_ADDRESS = re.compile(r"\b[a-z0-9]{4,64}(?:\+[a-z0-9-]{1,64})?@marketplace\.amazon\.[a-z.]{2,8}\b", re.IGNORECASE)
NAME_SUFFIX = re.compile(r"\s*[-‐–—|(（]\s*Amazon\b.*$|\s*[-‐–—|(（]\s*Amazonマーケットプレイス.*$", re.IGNORECASE)
TAG = re.compile(r"\+(?:[a-z0-9]+[-_.])?([a-z]{2})@", re.IGNORECASE)
OUR_ADDRESSES = ("delivered-to", "x-original-to", "to", "cc")
MOST_TAGS = 10
CONVERSATION = re.compile(r"\+([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{8})@", re.IGNORECASE)
SCRIPTS = {
    "ja": re.compile(r"[\u3041-\u30ff]"),
    "ko": re.compile(r"[\uac00-\ud7a3]"),
    "ar": re.compile(r"[\u0620-\u064a]"),
    "hi": re.compile(r"[\u0904-\u0939\u0958-\u0961]"),
    "zh": re.compile(r"[\u4e00-\u9fff]"),
}
SHARE_OF_SCRIPT = 0.2  # of all letters; product names are Latin everywhere
WORD = re.compile(r"[^\W\d_]+")


# ---------- order and case


def order_ids(*texts: str) -> tuple[str, ...]:
    """Amazon's order ids in the texts, in order, each once. Never says anything about the marketplace."""
    found: dict[str, None] = {}
    for text in texts:
        plain = unicodedata.normalize("NFKC", text).translate(HYPHENS) if not text.isascii() else text
        found |= dict.fromkeys(ORDER_ID.findall(plain))
    return tuple(found)[:MOST_ORDER_IDS]


def support_case(subject: str, text: str) -> str | None:
    """Number of the Seller Support case, from the subject if it is there."""
    for place in (subject, text):
        if match := rules().case_number.search(place):
            return match["subject"] or match["text"]
    return None


def conversation(reading: Reading, sender: Sender, everything: str) -> str | None:
    """Amazon's number of the conversation: in links below the frame, its token, or the buyer's address."""
    for link in reading.links:
        if is_seller_central(link) and "/messaging/" in link:
            fields = parse_qs(urlsplit(link).query)
            for name in ("ss", "cc"):
                if (case := fields.get(name, [""])[0]) and re.fullmatch(r"[\w-]{4,64}", case, re.ASCII):
                    return case
    if match := SPC.search(reading.below or everything):
        return match[1]
    match = CONVERSATION.search(sender.address.address) if sender.origin == "relay" else None
    return match[1].lower() if match else None


def rating(*texts: str) -> int | None:
    """Stars, 1 to 5, in the first text that has them."""
    for text in texts:
        if match := rules().rating.search(text):
            return int(next(group for group in match.groups() if group))
    return None


# ---------- the buyer


def buyer_alias(mail: ParsedMail, sender: Sender, texts: Iterable[str]) -> str | None:
    """The buyer's relay address in lower case, without the conversation after +."""
    addresses = [sender.address.address] if sender.origin == "relay" else []
    addresses += [each.address for each in mail.addresses("reply-to")]
    found = next((address for address in addresses if is_relay(address)), None)
    if found is None:
        written = (match.group().lower() for text in texts for match in RELAY_ADDRESS.finditer(text[:50_000]))
        found = next((address for address in written if is_relay(address)), None)
    return re.sub(r"\+[^@]*@", "@", found) if found else None


def buyer_name(sender: Sender, named: str | None) -> str | None:
    """The buyer's name: of the sender if a buyer wrote, else `named` (from the subject)."""
    shown = NAME_SUFFIX.sub("", sender.address.name).strip()
    if sender.origin == "relay" and shown and "@" not in shown and not rules().claims.match(shown):
        return shown
    return safe_line(named) or None if named else None


# ---------- marketplace


def marketplace(mail: ParsedMail, sender: Sender, alias: str | None, links: Iterable[str]) -> str | None:
    """Country code of the site the mail is about; the buyer's domain says more than amazon.com, which writes for all.

    Never from the first digits of an order id: they tell nothing.
    """
    return next((site.country for site in _sites(mail, sender, alias, links) if site), None)


def _sites(mail: ParsedMail, sender: Sender, alias: str | None, links: Iterable[str]) -> Iterator[Marketplace | None]:
    is_genuine = sender.origin in {"relay", "amazon"} and not sender.is_imitation
    if is_genuine:
        yield sites().by_id.get(mail.header("x-marketplace-id").strip().upper())
    is_for_all = sender.origin == "amazon" and sender.site is not None and sender.site.domain == "amazon.com"
    if not is_for_all:
        yield sender.site
    if alias and (found := amazon_site(alias.rpartition("@")[2])):
        yield found[0]
    if is_genuine:
        yield from map(_linked_site, links)
    yield from map(_tagged_site, mail.addresses(*OUR_ADDRESSES))
    yield sender.site


def _linked_site(link: str) -> Marketplace | None:
    if not is_amazon_link(link):
        return None
    fields = parse_qs(urlsplit(link).query)
    return sites().by_id.get((fields.get("mp") or fields.get("marketplaceId") or [""])[0])


def delivered_to_tags(mail: ParsedMail) -> tuple[str, ...]:
    """Plus-tags of the addresses that are ours, surest header first: those that Amazon's relay has are the buyer's."""
    addresses = (address for name in OUR_ADDRESSES for address in mail.addresses(name))
    locals_ = (each.local.partition("+")[2] for each in addresses if not amazon_site(each.domain))
    return tuple(dict.fromkeys(safe_line(tag, 64) for tag in locals_ if tag))[:MOST_TAGS]


def _tagged_site(address: Address) -> Marketplace | None:
    """The site in an address of ours such as support+de@."""
    match = TAG.search(address.address)
    country = match[1].upper() if match else ""
    return sites().by_country.get("UK" if country == "GB" else country)


# ---------- times and identity


def sent_at(mail: ParsedMail, received_at: datetime | None) -> datetime | None:
    """The mail's Date, aware UTC, bounded by its receipt: a clock set wrong must not start in the future."""
    date = parse_date(mail.header("date"))
    received = received_at.astimezone(UTC) if received_at else _received(mail)
    known = [moment for moment in (date, received) if moment]
    return min(known) if known else None


def _received(mail: ParsedMail) -> datetime | None:
    """Date of the topmost Received header: our own server wrote it."""
    value = mail.header("received")
    return parse_date(value.rpartition(";")[2].strip()) if value else None


def message_id(mail: ParsedMail) -> str | None:
    return _first_id(mail.header("message-id")) or (safe_line(mail.header("message-id"), 990) or None)


def answered_id(mail: ParsedMail) -> str | None:
    """Message-ID of the mail it answers; of a delivery report, the mail that did not arrive."""
    references = MESSAGE_ID.findall(mail.header("references"))
    returned = re.search(r"^Message-ID:\s*(<[^<>\s]{1,990}>)", mail.returned, re.IGNORECASE | re.MULTILINE)
    return (
        _first_id(mail.header("in-reply-to"))
        or (references[-1] if references else None)
        or (returned[1] if returned else None)
    )


def _first_id(value: str) -> str | None:
    match = MESSAGE_ID.search(value)
    return match.group() if match else None


# ---------- language


def language_of(words: str, site: Marketplace | None, *guesses: str | None) -> str | None:
    """ISO 639-1 of what was written: by script, by very common words, else the first guess, else the site's."""
    letters = sum(map(str.isalpha, words[:2000]))
    for language, script in SCRIPTS.items():
        if len(script.findall(words[:2000])) > max(1, letters * SHARE_OF_SCRIPT):
            is_japans = language == "zh" and site is not None and site.language == "ja"
            return "ja" if is_japans else language
    said = Counter(word.lower() for word in WORD.findall(words[:4000]))
    counts = {each: sum(said[word] for word in common) for each, common in rules().common_words.items()}
    ranked = sorted(counts, key=lambda each: counts[each], reverse=True)
    if len(ranked) > 1 and counts[ranked[0]] >= 2 and counts[ranked[0]] > counts[ranked[1]]:
        return ranked[0]
    return next((guess for guess in guesses if guess), site.language if site else None)
