"""Who sent a mail: Amazon, a buyer through Amazon's relay, somebody posing as them, or anybody else."""

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from amazon_support.mail.parse import Address, ParsedMail
from amazon_support.mail.rules import rules, sites
from amazon_support.settings import Marketplace

# relay: a buyer, or Amazon's customer service for one. lookalike, claimant: poses as Amazon. postmaster: a machine
# that delivers mail. other: anybody else.
Origin = Literal["relay", "amazon", "lookalike", "claimant", "postmaster", "other"]
Authentication = Literal["pass", "fail", "none"]

RELAY = "marketplace"
COMMENT = re.compile(r"\([^()]*\)")
QUOTED = re.compile(r'"[^"]*"')
METHOD = re.compile(r"^\s*([\w-]+)\s*(?:/\s*\d+\s*)?=\s*(\w+)")
PROPERTY = re.compile(r"\b(header\.(?:d|i|from)|smtp\.\w+)\s*=\s*(\S+)")
# Digits, Cyrillic and Greek letters that pass for others at a glance.
CONFUSABLE = str.maketrans(
    {"0": "o", "1": "l", "3": "e", "4": "a", "а": "a", "е": "e", "м": "m", "о": "o", "с": "c", "α": "a", "ο": "o"}
)
POSTMASTERS = frozenset({"mailer-daemon", "postmaster", "mail-daemon", "maildaemon"})


@dataclass(frozen=True)
class Sender:
    """origin, and for relay and amazon the site of the domain. is_doubtful: more than one From."""

    address: Address
    origin: Origin
    site: Marketplace | None
    authentication: Authentication
    is_doubtful: bool = False

    @property
    def is_imitation(self) -> bool:
        if self.origin in {"relay", "amazon"}:
            return self.authentication == "fail" or self.is_doubtful
        return self.origin in {"lookalike", "claimant"}


def read_sender(mail: ParsedMail) -> Sender:
    """Whose mail it is, by From and by what our own mail server found when it checked it."""
    senders = mail.addresses("from")
    address = senders[0] if senders else Address("", "")
    site, origin = None, _origin(address)
    if found := amazon_site(address.domain):
        site, is_relay = found
        origin = "relay" if is_relay else "amazon"
    several = len({each.domain for each in senders}) > 1
    claims = any(amazon_site(each.domain) or _poses(each) for each in senders)
    if several and claims and site is None:
        origin = "claimant"
    return Sender(address, origin, site, authentication(mail, address.domain), is_doubtful=several)


def amazon_site(domain: str) -> tuple[Marketplace, bool] | None:
    """The site whose domain this is, and whether it is the buyers' relay; None if it is not Amazon's."""
    labels = domain.lower().split(".")
    for count in range(len(labels)):
        if site := sites().by_domain.get(".".join(labels[count:])):
            return (site, labels[:count] == [RELAY]) if all(labels[:count]) else None
    return None


def is_relay(address: str) -> bool:
    found = amazon_site(address.rpartition("@")[2])
    return bool(found and found[1])


def _origin(address: Address) -> Origin:
    if address.local in POSTMASTERS:
        return "postmaster"
    if any(address.domain == each or address.domain.endswith(f".{each}") for each in rules().trusted_domains):
        return "other"
    if _poses(address):
        return "lookalike" if "amazon" in _skeleton(address.domain) else "claimant"
    return "other"


def _poses(address: Address) -> bool:
    """Claims to be Amazon, by a name that only Amazon has, or by its name together with a domain that looks alike."""
    name = _skeleton(address.name)
    if rules().claims.match(name) or re.search(r"@(marketplace\.)?amazon\.", name):
        return True
    looks_alike = "amazon" in _skeleton(address.domain)
    return looks_alike and (not name or "amazon" in name or "seller" in name)


def _skeleton(text: str) -> str:
    """Text as it looks at a glance: without accents, look-alike letters replaced."""
    if "xn--" in text:
        with suppress(ValueError):  # UnicodeError is one
            text = text.encode("ascii").decode("idna")
    folded = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in folded if not unicodedata.combining(c))
    return plain.translate(CONFUSABLE).replace("rn", "m")


# ---------- what our mail server found


def authentication(mail: ParsedMail, domain: str) -> Authentication:
    """Result of the checks that are aligned with the From domain: DKIM of its amazon.<tld>, and DMARC.

    Only the topmost Authentication-Results of our own servers counts; everything below it came with the mail.
    Amazon's second signature (amazonses.com) and SPF prove nothing about From. Source: RFC 8601, RFC 7489.
    """
    found = amazon_site(domain)
    own = found[0].domain if found else domain
    results = list(_results(mail, own))
    if "pass" in results:
        return "pass"
    return "fail" if "fail" in results else "none"


def _results(mail: ParsedMail, own: str) -> list[str]:
    """Results of aligned methods in the header that counts."""
    servers = {server.lower() for server in rules().authentication_servers}
    for value in mail.all("authentication-results"):
        bare = QUOTED.sub("quoted", _without_comments(value))
        server, _, methods = bare.partition(";")
        name = server.split()[0].lower() if server.split() else ""
        if not servers or name in servers:
            return [result for result in (_aligned(method, own) for method in methods.split(";")) if result]
    return []


def _without_comments(value: str) -> str:
    for _ in range(5):
        bare = COMMENT.sub(" ", value)
        if bare == value:
            break
        value = bare
    return value


def _aligned(method: str, own: str) -> str | None:
    """Result of one method if it speaks of the domain `own`, else None."""
    found = METHOD.match(method)
    if not found:
        return None
    name, result = found[1].lower(), found[2].lower()
    properties = {key: value.lower().rpartition("@")[2] for key, value in PROPERTY.findall(method)}
    about = (
        properties.get("header.d") or properties.get("header.i") if name == "dkim" else properties.get("header.from")
    )
    if name == "dmarc" and about is None:
        about = own
    if name not in {"dkim", "dmarc"} or not about or not (about == own or about.endswith(f".{own}")):
        return None
    return "fail" if result == "hardfail" else result
