"""Links in mail: which lead to Amazon itself, what each is for, and what Amazon's signed ones tell."""

import re
from collections.abc import Iterable
from urllib.parse import SplitResult, parse_qs, urlsplit

from amazon_support.mail.facts import Link
from amazon_support.mail.rules import rules, sites
from amazon_support.mail.senders import amazon_site

NO_RESPONSE = "no_response"
MOST_LINKS = 20
LONGEST_LINK = 2000
KEY = re.compile(r"[\w.~-]{1,200}", re.ASCII)


def is_amazon_link(link: str) -> bool:
    parts = _https(link)
    return bool(parts and amazon_site(parts.hostname or ""))


def is_seller_central(link: str) -> bool:
    """Whether the link leads to Seller Central itself, and not to a host that looks like it."""
    parts = _https(link)
    host = (parts.hostname or "").lower() if parts else ""
    return host in rules().seller_central_hosts or (
        host.startswith("sellercentral.") and host.removeprefix("sellercentral.") in sites().by_domain
    )


def _https(link: str) -> SplitResult | None:
    """The link's parts; None unless it is plain https to a named host, without tricks."""
    if re.search(r"[\s\\\x00-\x1f]", link) or not link.lower().startswith("https://"):
        return None
    try:
        parts = urlsplit(link)
        is_plain = parts.username is None and parts.password is None and parts.port is None
    except ValueError:
        return None
    return parts if is_plain and parts.hostname else None


def seller_central_links(targets: Iterable[str]) -> tuple[Link, ...]:
    """The links to Seller Central, unchanged, each once, with what it is for. Give only targets that Amazon wrote:
    those below the frame of a buyer's message, or those of Amazon's own notices."""
    found = {
        target: Link(purpose=_purpose(target), url=target)
        for target in targets
        if len(target) <= LONGEST_LINK and is_seller_central(target)
    }
    return tuple(found.values())[:MOST_LINKS]


def _purpose(link: str) -> str:
    """By the longest beginning of the path that the rules know."""
    path = urlsplit(link).path.rstrip("/")
    fitting = [
        (len(beginning), purpose)
        for purpose, beginnings in rules().link_purposes.items()
        for beginning in beginnings
        if path == beginning or path.startswith(beginning + "/")
    ]
    return max(fitting)[1] if fitting else "other"


def no_response_link(links: Iterable[Link]) -> str | None:
    """Amazon's signed link that marks a message as needing no answer."""
    return next((link.url for link in links if link.purpose == NO_RESPONSE), None)


def conversation_keys(link: str | None, alias: str | None) -> tuple[str | None, str | None]:
    """(thread, message) as the signed link names them, if it does: the same for each copy of a message.

    Older links have the buyer's alias as `m`: it names no message.
    """
    fields = parse_qs(urlsplit(link).query) if link else {}
    thread, message = (_key(fields.get(name, [""])[0]) for name in ("t", "m"))
    buyer = (alias or "").partition("@")[0].partition("+")[0]
    if thread is None or (message and message.casefold() == buyer.casefold()):
        message = None
    return thread, message


def _key(value: str) -> str | None:
    return value if KEY.fullmatch(value) else None
