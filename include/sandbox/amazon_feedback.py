"""Seller feedback: what buyers said of orders, how it changed, and the report that lists it in each site's own manner.

Sources: Amazon's report type values (negative and neutral feedback only, one to three stars); headings, dates and
encodings as public readers of the report expect them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from sandbox.amazon_marketplaces import MARKETPLACES
from sandbox.purchases import Purchase

WORST_STARS = 3  # the report has no better feedback

HEADINGS = {
    "en": ("Date", "Rating", "Comments", "Your Response", "Order ID", "Rater Email"),
    "de": ("Datum", "Bewertung", "Kommentare", "Antwort", "Bestellnummer", "E-Mail des Bewerters"),
    "fr": ("Date", "Évaluation", "Commentaire", "Response", "Order ID", "E-mail de l'évaluateur"),
    "it": ("Date", "Rating", "Comments", "Response", "Numero ordine", "E-mail autore della valutazione"),
    "es": ("Date", "Rating", "Comentarios", "Response", "Número de pedido", "E-mail del cliente"),
    "nl": ("Datum", "Beoordeling", "Opmerkingen", "Antwoord", "Bestelnummer", "E-mail van beoordelaar"),
    "pl": ("Data", "Ocena", "Komentarze", "Odpowiedź", "Numer zamówienia", "E-mail oceniającego"),
    "sv": ("Datum", "Betyg", "Kommentarer", "Ditt svar", "Beställningsnummer", "Betygsättarens e-postadress"),
    "pt": ("Data", "Avaliação", "Comentários", "Sua resposta", "ID do pedido", "E-mail do avaliador"),
    "tr": ("Tarih", "Puan", "Yorumlar", "Yanıtınız", "Sipariş Numarası", "Değerlendirenin E-postası"),
    "ar": ("التاريخ", "التقييم", "التعليقات", "ردك", "رقم الطلب", "البريد الإلكتروني للمقيّم"),
    "ja": ("日付", "評価", "コメント", "あなたの返答", "注文番号", "評価者のEメール"),
}
# Codec, what the download's Content-Type calls it, and the byte order mark in front.
LATIN, JAPANESE, UNICODE = ("cp1252", "Cp1252", ""), ("cp932", "Shift_JIS", ""), ("utf-8", "UTF-8", "\ufeff")
ENCODINGS = {
    "JP": JAPANESE,
    **dict.fromkeys(("UK", "DE", "FR", "IT", "ES", "NL", "SE", "BE", "IE"), LATIN),
}
ZONES = {
    "US": "America/Los_Angeles", "CA": "America/Toronto", "MX": "America/Mexico_City", "BR": "America/Sao_Paulo",
    "UK": "Europe/London", "DE": "Europe/Berlin", "FR": "Europe/Paris", "IT": "Europe/Rome", "ES": "Europe/Madrid",
    "NL": "Europe/Amsterdam", "SE": "Europe/Stockholm", "PL": "Europe/Warsaw", "BE": "Europe/Brussels",
    "IE": "Europe/Dublin", "TR": "Europe/Istanbul", "AE": "Asia/Dubai", "SA": "Asia/Riyadh", "EG": "Africa/Cairo",
    "IN": "Asia/Kolkata", "ZA": "Africa/Johannesburg", "JP": "Asia/Tokyo", "AU": "Australia/Sydney",
    "SG": "Asia/Singapore",
}  # fmt: skip
SEPARATORS = str.maketrans("\t\r\n", "   ")  # have no escape in the file
SECOND_THOUGHT = " {stars}/5."


@dataclass(frozen=True)
class Feedback:
    """What a buyer said of an order, and what became of it. Instants are aware UTC, None: never.

    Attributes:
        marketplace: country, as in Seller.marketplaces.
        rating, comments: until `edited_at`, then those with `edited_`.
        response: the seller's, from `answered_at` on.
    """

    order_id: str
    marketplace: str
    rater_email: str
    rated_at: datetime
    rating: int
    comments: str
    edited_at: datetime | None = None
    edited_rating: int = 0
    edited_comments: str = ""
    answered_at: datetime | None = None
    response: str = ""
    removed_at: datetime | None = None

    def rating_as_of(self, moment: datetime) -> int:
        return self.edited_rating if _is_past(self.edited_at, moment) else self.rating

    def fields_as_of(self, moment: datetime) -> tuple[str, ...]:
        """Its line of the report."""
        comments = self.edited_comments if _is_past(self.edited_at, moment) else self.comments
        response = self.response if _is_past(self.answered_at, moment) else ""
        day = self.rated_at.astimezone(ZoneInfo(ZONES[self.marketplace])).date()
        rating = str(self.rating_as_of(moment))
        return _written(day, self.marketplace), rating, comments, response, self.order_id, self.rater_email


def make_feedback(rng: Random, purchase: Purchase, at: datetime, rating: int, comments: str, response: str) -> Feedback:
    """Feedback given then, of which a part is edited, answered or taken back within weeks, maybe after the history's
    end: the stand-in's clock goes on.
    """

    def later(share: float, days: float) -> datetime | None:
        happens, after = rng.random() < share, timedelta(days=rng.uniform(0.1, days))
        return (at + after).replace(microsecond=0) if happens else None

    stars = rng.choice((1, 2, 3, 5))
    return Feedback(
        order_id=purchase.order_id,
        marketplace=purchase.site.country,
        rater_email=purchase.buyer.address,
        rated_at=at,
        rating=rating,
        comments=comments,
        edited_at=later(0.25, 10),
        edited_rating=stars,
        edited_comments=comments + SECOND_THOUGHT.format(stars=stars),
        answered_at=later(0.4, 5),
        response=response,
        removed_at=later(0.2, 30),
    )


def feedback_report(
    feedback: Sequence[Feedback], marketplace_ids: Sequence[str], start: datetime, end: datetime, as_of: datetime
) -> tuple[bytes, str] | None:
    """The document, as things stand `as_of`, and its charset; None if there never was feedback in the span.

    Args:
        marketplace_ids: the report is in the language of the first.
    """
    countries = [country for country, site in MARKETPLACES.items() if site.id in marketplace_ids]
    given = [each for each in feedback if each.marketplace in countries and start <= each.rated_at <= min(end, as_of)]
    if not given:
        return None
    first = next(country for country in countries if MARKETPLACES[country].id == marketplace_ids[0])
    standing = [
        each for each in given if not _is_past(each.removed_at, as_of) and each.rating_as_of(as_of) <= WORST_STARS
    ]
    newest_first = sorted(standing, key=lambda each: (each.rated_at, each.order_id), reverse=True)
    lines = [HEADINGS[MARKETPLACES[first].language[:2]], *(each.fields_as_of(as_of) for each in newest_first)]
    text = "".join("\t".join(field.translate(SEPARATORS) for field in line) + "\r\n" for line in lines)
    codec, charset, mark = ENCODINGS.get(first, UNICODE)
    return (mark + text).encode(codec, errors="replace"), charset


def _written(day: date, country: str) -> str:
    """The day as the site writes it: without leading zeros, years of two digits."""
    year, month, number = f"{day:%y}", day.month, day.day
    match country:
        case "US":
            return f"{month}/{number}/{year}"
        case "DE":
            return f"{number}.{month}.{year}"
        case "SE":
            return day.isoformat()
        case "JP":
            return f"{year}/{month}/{number}"
        case _:
            return f"{number}/{month}/{year}"


def _is_past(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment <= now.astimezone(UTC)
