"""Amounts of money, as Amazon writes them on its sites."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from amazon_support.mail.rules import rules
from amazon_support.settings import Marketplace

# 1 234,56 · 1.234,56 · 1,23,456.78 · 1'234.50 · 169.01 · 1980, in Arabic digits as well.
NUMBER = (
    r"(?<![\d.,])(?:\d{1,3}(?: \d{3}){1,3}(?:[.,]\d{1,2})?|\d{1,3}(?:[.,'’٬]\d{2,3}){1,4}(?:[.,٫]\d{1,2})?"
    r"|\d{1,10}(?:[.,٫]\d{1,2})?)(?![\d]|[.,]\d)"
)
DOLLAR = "$"


@dataclass(frozen=True)
class Money:
    """How much, without sign; currency (ISO 4217) None where nothing tells."""

    amount: Decimal
    currency: str | None

    @property
    def figure(self) -> str:
        return f"{self.amount:f}"


def amounts(text: str, site: Marketplace | None) -> list[Money]:
    """The amounts in running text: figures with the sign or code of a currency."""
    return [money for match in _pattern().finditer(plain(text)) if (money := _money(match, site, is_bare_money=False))]


def amount(value: str, site: Marketplace | None) -> Money | None:
    """The first amount in a value that is known to be one: the site tells the currency of a bare figure."""
    found = (_money(match, site, is_bare_money=True) for match in _pattern().finditer(plain(value[:200])))
    return next((money for money in found if money), None)


def total(parts: Iterable[Money]) -> Money | None:
    """The sum; None if there is nothing, or if the currencies differ."""
    listed = list(parts)
    if not listed or len({money.currency for money in listed}) > 1:
        return None
    return Money(sum((money.amount for money in listed), Decimal(0)), listed[0].currency)


def plain(text: str) -> str:
    """Text with the usual spaces, digits and hyphens instead of their wide, narrow and unbreakable forms."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text).replace("−", "-")


@cache
def _pattern() -> re.Pattern[str]:
    signs = sorted((plain(sign) for sign in rules().money_signs), key=len, reverse=True)
    sign = "(?:" + "|".join(_bounded(sign) for sign in signs) + ")"
    return re.compile(
        rf"(?:(?P<before>{sign})\s?[-(]?\s?)?(?P<number>{NUMBER})(?:\s?\)?\s?(?P<after>{sign}))?", re.IGNORECASE
    )


def _bounded(sign: str) -> str:
    """A sign of letters is no part of a word."""
    before = r"(?<![^\W\d_])" if sign[0].isalpha() else ""
    after = r"(?![^\W\d_])" if sign[-1].isalpha() and sign[-1].isascii() else ""
    return before + re.escape(sign) + after


def _money(match: re.Match[str], site: Marketplace | None, *, is_bare_money: bool) -> Money | None:
    signs = [sign.casefold() for sign in (match["before"], match["after"]) if sign]
    if not signs and not is_bare_money:
        return None
    known = _currencies()
    currency = next((code for sign in signs if (code := known.get(sign))), None)
    if currency is None:
        currency = rules().site_currencies.get(site.country) if site else None
        if DOLLAR in signs and not any(DOLLAR in sign for sign in rules().currencies.get(currency or "", ())):
            currency = "USD"
    return Money(_decimal(match["number"]), currency)


@cache
def _currencies() -> dict[str, str | None]:
    return {plain(sign).casefold(): code for sign, code in rules().money_signs.items()}


def _decimal(number: str) -> Decimal:
    """The last separator is the decimal one, unless it stands twice, or alone before three digits."""
    digits = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in number)
    digits = re.sub(r"[ '’]", "", digits).replace("٫", ".").replace("٬", ",")
    separators = re.findall(r"[.,]", digits)
    if not separators:
        return Decimal(digits)
    last = separators[-1]
    whole, _, rest = digits.rpartition(last)
    is_thousands = separators.count(last) > 1 or (len(separators) == 1 and len(rest) == 3 and whole != "0")
    whole = re.sub(r"[.,]", "", whole)
    return Decimal(whole + rest) if is_thousands else Decimal(f"{whole}.{rest}")
