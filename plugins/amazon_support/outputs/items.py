"""One thing to do, a worklist of them, and the words in which people read them."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from textwrap import shorten
from typing import Any, Literal

from amazon_support.outputs.reader import ENGLISH, N_, Reader

SECTIONS = {
    "reply_now": N_("Reply now"),
    "feedback": N_("Feedback"),
    "claims_returns_cancellations": N_("Claims, returns, cancellations"),
    "performance_notifications": N_("Performance notifications"),
    "cases_to_chase": N_("Cases to chase"),
    "on_hold_to_chase": N_("On hold: chase"),
    "orders_to_ship": N_("Orders to ship"),
    "mail_to_decide": N_("Mail to decide"),
    "solved_automatically": N_("Solved automatically"),
}
SELLER_CENTRAL = "https://sellercentral."  # what its addresses begin with, in every marketplace
TYPE_WORDS = {
    None: N_("Order"),
    "contact_buyer": N_("Contact buyer"),
    "product_question": N_("Product question"),
    "return_request": N_("Return request"),
    "cancellation": N_("Cancellation"),
    "refund": N_("Refund"),
    "a_to_z_claim": N_("A-to-z claim"),
    "chargeback": N_("Chargeback"),
    "negative_feedback": N_("Negative feedback"),
    "neutral_feedback": N_("Neutral feedback"),
    "performance_notification": N_("Performance notification"),
    "case_update": N_("Case update"),
    "delivery_failure": N_("Delivery failure"),
    "system_message": N_("System message"),
    "system_qa": N_("Public question"),
    "other_query": N_("Other query"),
    "unknown_mail": N_("Unknown mail"),
}
FULFILLED_BY_WORDS = {"MERCHANT": N_("seller-fulfilled"), "AMAZON": N_("fulfilled by Amazon")}
ORDER_STATUS_WORDS = {
    "PENDING": N_("pending"),
    "PENDING_AVAILABILITY": N_("pending availability"),
    "UNSHIPPED": N_("unshipped"),
    "PARTIALLY_SHIPPED": N_("partially shipped"),
    "SHIPPED": N_("shipped"),
    "CANCELLED": N_("cancelled"),
    "UNFULFILLABLE": N_("unfulfillable"),
}
# What marts/worklist_fill.sql says of an item.
REASONS = (
    N_("Breached {time} ago"),
    N_("At risk: due in {time}"),
    N_("Due in {time}"),
    N_("New for {time}"),
    N_("Open for {time}"),
    N_("No movement for {time}: chase it"),
    N_("Last movement {time} ago"),
    N_("On hold for {time}: chase the stakeholder"),
    N_("Ordered {time} ago"),
    N_("Ship-by time passed {time} ago"),
    N_("Ship within {time}"),
    N_("Decision late by {time}"),
    N_("Decide within {time}"),
    N_("Solved {time} ago: the buyer was silent"),
    N_("mail of {moment} in {place}"),
    N_("may belong to {ids}"),
    N_("on hold"),
    N_("solved without a reply"),
    N_("asks to cancel through Amazon: does not count"),
    N_("asks to cancel in a message: cancelling counts"),
    N_("Amazon names no ship-by time"),
    N_("ship-by time unknown: only a report has told of this order"),
    N_("{left} of {pieces} pieces to ship"),
)
MOST_HOLDERS = 3
LONGEST_GOODS = 70  # characters
CURRENCIES_WITHOUT_CENTS = frozenset({"JPY"})

duration = ENGLISH.duration
when = ENGLISH.when


@dataclass(frozen=True)
class Item:
    """A row of mart.worklist; times are aware UTC, seconds_left is negative once late.

    Attributes:
        reasons: `reason` in parts, each a text of REASONS with the values in it. agents: who has it.
        is_new: it was not on the list before this one. words: what the buyer wrote, as far as it may be told.
    """

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
    reasons: Sequence[Mapping[str, Any]] | None = None
    agents: Sequence[str] | None = None
    is_new: bool = False
    words: str = ""

    @property
    def is_late(self) -> bool:
        return self.seconds_left is not None and self.seconds_left < 0


@dataclass(frozen=True)
class Shown:
    """An item in the words of its reader; has the item's columns, too."""

    item: Item
    reader: Reader = ENGLISH

    def __getattr__(self, column: str) -> Any:
        return getattr(self.item, column)

    @property
    def title(self) -> str:
        return self._named(TYPE_WORDS, self.item.ticket_type)

    @property
    def time_left(self) -> str:
        """Such as `3 h 10 min late` or `55 min left`; empty without a due time."""
        return "" if self.item.seconds_left is None else self.reader.time_left(self.item.seconds_left)

    @property
    def remark(self) -> str:
        """The reason, as far as time_left does not say it already."""
        item = self.item
        says_time_left = item.section in ("reply_now", "orders_to_ship", "mail_to_decide") and item.due_at
        if item.reasons is None:
            remark = item.reason.partition(", ")[2] if says_time_left else item.reason
        else:
            remark = self.reader.join(map(self._said, item.reasons[1 if says_time_left else 0 :]))
        return remark[:1].upper() + remark[1:]

    @property
    def facts(self) -> list[str]:
        """What is known of the order or the case, in the order in which it is read, a line each."""
        item = self.item
        ships = item.order_status in ("UNSHIPPED", "PARTIALLY_SHIPPED") and item.section != "orders_to_ship"
        facts = [
            item.order_id or self._case,
            item.order_status and self._named(ORDER_STATUS_WORDS, item.order_status),
            item.fulfilled_by and self._named(FULFILLED_BY_WORDS, item.fulfilled_by),
            self.reader.say("ship by {time}", time=self.reader.when(item.ship_by_at))
            if ships and item.ship_by_at
            else None,
        ]
        total = money(item.total_amount, item.currency)
        return [one_line(fact) for fact in facts if fact] + ([total] if total else [])

    @property
    def goods(self) -> str:
        """What the order is of, in a line, and how much of it is still to ship."""
        items = " ".join((self.item.items or "").split())
        if len(items) > LONGEST_GOODS:
            items = shorten(items, LONGEST_GOODS, placeholder=" …")
        return "; ".join(part for part in (self.remark, items) if part)

    @property
    def tool(self) -> str:
        """Name of the tool that the link opens."""
        return "Seller Central" if (self.item.link or "").startswith(SELLER_CENTRAL) else "BQool"

    @property
    def holders(self) -> str:
        """Who has it; nothing where that is many, for then nobody has it in particular."""
        agents = self.item.agents or ()
        return self.reader.join(agents) if len(agents) <= MOST_HOLDERS else ""

    def _said(self, reason: Mapping[str, Any]) -> str:
        values = dict(reason)
        if "time" in values:
            values["time"] = self.reader.duration(values["time"])
        if "moment" in values:
            values["moment"] = self.reader.when(datetime.fromisoformat(values["moment"]))
        return self.reader.say(values.pop("text"), **values)

    @property
    def _case(self) -> str | None:
        case = (self.item.ticket_id or "").partition(":case:")[2].partition("#")[0]
        return self.reader.say("case {id}", id=case) if case else None

    def _named(self, words: Mapping[Any, str], name: str | None) -> str:
        """In words; a name that Amazon may have made up since, as it is."""
        return self.reader.say(words[name]) if name in words else str(name).replace("_", " ").lower()


ListOf = Literal["agent", "team", "desk", "marketplace"]


@dataclass(frozen=True)
class Worklist:
    """What there is to do as of an instant, and who is sent it.

    An item is at risk inside `warn_before`, an order to ship inside `warn_shipment_before`.

    Attributes:
        of, name: whose list it is: such as agent, Ana Lima. recipient: e-mail address; the name of an agent who has
            none. page: URL of the list; empty: not known.
    """

    of: ListOf
    name: str
    recipient: str
    as_of: datetime
    warn_before: timedelta
    warn_shipment_before: timedelta
    items: tuple[Item, ...]
    reader: Reader = ENGLISH
    page: str = ""

    @property
    def shown(self) -> list[Shown]:
        """The items in the reader's words."""
        return [Shown(item, self.reader) for item in self.items]

    def is_at_risk(self, item: Item | Shown) -> bool:
        warn_before = self.warn_shipment_before if item.section == "orders_to_ship" else self.warn_before
        return item.seconds_left is not None and 0 <= item.seconds_left <= warn_before.total_seconds()


def one_line(text: str) -> str:
    """Text from outside without line breaks and without characters that are not seen or turn the line around."""
    if not text.isprintable():  # nearly all are
        seen = (c for c in text if unicodedata.category(c) != "Cf")
        text = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in seen)
    return " ".join(text.split())


def money(amount: Decimal | None, currency: str | None, *, grouping: Literal["", ","] = "") -> str:
    """An amount and its currency, never parted at a line's end; nothing where there is no amount.

    Args:
        grouping: between thousands.
    """
    if amount is None:
        return ""
    places = 0 if currency in CURRENCIES_WITHOUT_CENTS else 2
    return one_line(f"{amount:{grouping}.{places}f} {currency or ''}").replace(" ", "\u00a0")
