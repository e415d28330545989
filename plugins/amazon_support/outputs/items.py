"""One thing to do, a worklist of them, and the words in which people read them."""

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from textwrap import shorten

SECTIONS = {
    "reply_now": "Reply now",
    "feedback": "Feedback",
    "claims_returns_cancellations": "Claims, returns, cancellations",
    "performance_notifications": "Performance notifications",
    "cases_to_chase": "Cases to chase",
    "on_hold_to_chase": "On hold: chase",
    "orders_to_ship": "Orders to ship",
    "mail_to_decide": "Mail to decide",
    "solved_automatically": "Solved automatically",
}
BQOOL_PAGE = "https://app.bqool.com/"
TYPE_WORDS = {"a_to_z_claim": "A-to-z claim", "system_qa": "Public question", None: "Order"}
FULFILLED_BY_WORDS = {"MERCHANT": "seller-fulfilled", "AMAZON": "fulfilled by Amazon"}
CURRENCIES_WITHOUT_CENTS = frozenset({"JPY"})


@dataclass(frozen=True)
class Item:
    """A row of mart.worklist_item; times are aware UTC, seconds_left is negative once late."""

    section: str
    position: int
    account: str
    ticket_id: str | None
    order_id: str | None
    marketplace: str | None
    desk: str | None
    ticket_type: str | None
    status: str | None
    reason: str
    due_at: datetime | None
    seconds_left: int | None
    link: str | None
    order_status: str | None
    fulfilled_by: str | None
    ship_by_at: datetime | None
    total_amount: Decimal | None
    currency: str | None
    items: str | None

    @property
    def title(self) -> str:
        return TYPE_WORDS.get(self.ticket_type) or str(self.ticket_type).replace("_", " ").capitalize()

    @property
    def time_left(self) -> str:
        """Such as `3 h 10 min late` or `55 min left`; empty without a due time."""
        if self.seconds_left is None:
            return ""
        return f"{duration(abs(self.seconds_left))} {'late' if self.seconds_left < 0 else 'left'}"

    @property
    def is_late(self) -> bool:
        return self.seconds_left is not None and self.seconds_left < 0

    @property
    def remark(self) -> str:
        """The reason, as far as time_left does not say it already."""
        says_time_left = self.section in ("reply_now", "orders_to_ship", "mail_to_decide") and self.due_at
        remark = self.reason.partition(", ")[2] if says_time_left else self.reason
        return remark[:1].upper() + remark[1:]

    @property
    def facts(self) -> list[str]:
        """What is known of the order or the case, in the order in which it is read."""
        ships = self.order_status in ("UNSHIPPED", "PARTIALLY_SHIPPED") and self.section != "orders_to_ship"
        facts = [
            self.order_id or self._case,
            self.order_status and self.order_status.replace("_", " ").lower(),
            FULFILLED_BY_WORDS.get(self.fulfilled_by or "", self.fulfilled_by),
            f"ship by {when(self.ship_by_at)}" if ships and self.ship_by_at else None,
            self._total,
        ]
        return [fact for fact in facts if fact]

    @property
    def goods(self) -> str:
        """What the order is of, in a line, and how much of it is still to ship."""
        return "; ".join(part for part in (self.remark, shorten(self.items or "", 70, placeholder=" …")) if part)

    @property
    def tool(self) -> str:
        """Name of the tool that the link opens."""
        return "BQool" if self.link == BQOOL_PAGE else "Seller Central"

    @property
    def _case(self) -> str | None:
        case = (self.ticket_id or "").partition(":case:")[2].partition("#")[0]
        return f"case {case}" if case else None

    @property
    def _total(self) -> str | None:
        if self.total_amount is None:
            return None
        places = 0 if self.currency in CURRENCIES_WITHOUT_CENTS else 2
        return f"{self.total_amount:.{places}f} {self.currency or ''}".strip()


@dataclass(frozen=True)
class Worklist:
    """What one agent has to do as of an instant.

    An item is at risk inside `warn_before`, an order to ship inside `warn_shipment_before`.
    """

    agent: str
    email: str
    as_of: datetime
    warn_before: timedelta
    warn_shipment_before: timedelta
    items: tuple[Item, ...]

    def is_at_risk(self, item: Item) -> bool:
        warn_before = self.warn_shipment_before if item.section == "orders_to_ship" else self.warn_before
        return item.seconds_left is not None and 0 <= item.seconds_left <= warn_before.total_seconds()


def duration(seconds: int) -> str:
    """A span in words: `less than 1 min`, `55 min`, `27 h 10 min`, `3 d 4 h`. Rounds down, as marts/ does."""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 60:
        return "less than 1 min"
    if seconds < 3600:
        return f"{minutes} min"
    if seconds < 2 * 86400:
        return f"{hours} h" + (f" {minutes % 60} min" if minutes % 60 else "")
    return f"{days} d" + (f" {hours % 24} h" if hours % 24 else "")


def when(moment: datetime) -> str:
    """Such as `10 Mar 08:50 UTC`."""
    utc = moment.astimezone(UTC)
    return f"{utc.day} {utc:%b %H:%M} UTC"


def one_line(text: str) -> str:
    """Text from outside without line breaks and without characters that are not seen or turn the line around."""
    visible = ("".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)).split()
    return "".join(c for c in " ".join(visible) if unicodedata.category(c) != "Cf")
