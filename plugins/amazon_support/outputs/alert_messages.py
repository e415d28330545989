"""Alerts in words: one mail with everything that is new for a person, and one sentence for chat and text messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import floor
from typing import Literal

from amazon_support.outputs.health import Figure
from amazon_support.outputs.items import Item, Shown
from amazon_support.outputs.messages import MAIL_ORDERS, MAIL_REPLIES, Group, Page, Rendered, render_page
from amazon_support.outputs.reader import ENGLISH

Urgency = Literal["email", "chat", "text"]  # the loudest channel that it is worth


@dataclass(frozen=True)
class Heading:
    """A part of an alert: its heading, how it is counted ("2 still breached"), and how loud it is."""

    words: str
    counted: str
    urgency: Urgency
    is_work: bool = True

    def count(self, number: int) -> str:
        return f"{number} {self.counted.format(s='' if number == 1 else 's')}"


# In the order in which they are read.
HEADINGS = {
    ("reply", "still_breached"): Heading("Still breached", "still breached", "text"),
    ("reply", "breached"): Heading("Breached", "breached", "chat"),
    ("deadline", "still_breached"): Heading("Deadline long passed", "deadline{s} long passed", "text"),
    ("deadline", "breached"): Heading("Deadline passed", "deadline{s} passed", "text"),
    ("reply", "at_risk"): Heading("At risk", "at risk", "email"),
    ("deadline", "at_risk"): Heading("Deadline near", "deadline{s} near", "chat"),
    ("shipment", "breached"): Heading("Late to ship", "late to ship", "chat"),
    ("shipment", "at_risk"): Heading("To ship soon", "to ship soon", "email"),
    ("health", "not_good"): Heading("Account health not good", "health figure{s} not good", "text", False),
    ("health", "worse"): Heading("Account health worse than before", "health figure{s} worse", "chat", False),
    ("phishing", "trouble"): Heading("Imitations of Amazon", "imitation{s} of Amazon", "chat", False),
    ("pipeline", "trouble"): Heading("Trouble in the pipeline", "trouble{s} in the pipeline", "chat", False),
}
LOUDNESS: dict[Urgency, int] = {"email": 0, "chat": 1, "text": 2}


@dataclass(frozen=True)
class Notice:
    """One thing that somebody is told; as the templates show it.

    Attributes:
        identity: tells it from others in the same message, and from the same at another time.
        left, below: what stands before it, and in small letters under that. is_late, is_soon: how it is coloured.
        acknowledge: link that stops further alerts about it. count: how many things it stands for.
    """

    topic: str
    level: str
    identity: str
    account: str
    title: str
    left: str
    below: str = ""
    marketplace: str | None = None
    remark: str = ""
    facts: Sequence[str] = ()
    items: str | None = None
    link: str | None = None
    tool: str = "Seller Central"
    is_late: bool = False
    due_at: datetime | None = None
    order_id: str | None = None
    goods: str = ""
    acknowledge: str | None = None
    count: int = 1

    @property
    def time_left(self) -> str:
        return self.left

    @classmethod
    def of_item(
        cls,
        item: Item,
        topic: str,
        level: str,
        cycle: int,
        *,
        due_at: datetime,
        as_of: datetime,
        acknowledge: str | None,
    ) -> "Notice":
        """Of an item of a worklist; due_at is of the clock that is told of, which may be another than the item's."""
        seconds = floor((due_at - as_of).total_seconds())
        shown = Shown(item)
        return cls(
            topic=topic,
            level=level,
            identity=f"{item.ticket_id or item.order_id} {cycle}",
            account=item.account,
            title=shown.title,
            left=ENGLISH.time_left(seconds),
            marketplace=item.marketplace,
            remark=shown.remark,
            facts=shown.facts,
            items=item.items,
            link=item.link,
            tool=shown.tool,
            is_late=seconds < 0,
            due_at=due_at,
            order_id=item.order_id,
            goods=shown.goods,
            acknowledge=acknowledge,
        )

    @classmethod
    def of_figure(cls, figure: Figure) -> "Notice":
        return cls(
            topic="health",
            level="not_good" if figure.is_good is False else "worse",
            identity=f"{figure.key} {figure.measured_at}",
            account=figure.account,
            title=figure.title,
            left=figure.state,
            below=figure.amount,
            marketplace=figure.marketplace,
            remark=figure.remark,
            link=figure.link,
            is_late=figure.is_good is False,
        )


def alert_mail(names: Sequence[str], notices: Sequence[Notice], *, as_of: datetime) -> Rendered:
    """The mail that tells people who share an address what is new.

    Args:
        notices: in the order in which they are read within their heading.
    """
    by_heading = _by_heading(notices)
    rows = _shares({key: len(told) for key, (_, told) in by_heading.items() if key[0] != "shipment"}, MAIL_REPLIES)
    groups = [
        Group(heading.words, len(told), told[: rows.get(key, MAIL_ORDERS)], is_table=key not in rows)
        for key, (heading, told) in by_heading.items()
    ]
    title = f"Alert for {', '.join(names)}" if names else "Alert"
    # Whatever is in this mail and not late is at risk.
    page = Page(title, as_of, _lead(notices), groups, is_at_risk=lambda item: True)
    return render_page(_subject(notices, as_of), page, "alert")


def alert_sentence(notices: Sequence[Notice], *, as_of: datetime) -> Rendered:
    """One sentence of counts for chat and text messages: nobody's words, nobody's name."""
    work = any(heading.is_work for heading, _ in _by_heading(notices).values())
    sentence = f"{_subject(notices, as_of)}: see the {'worklist' if work else 'e-mail'}."
    return Rendered(_subject(notices, as_of), "", sentence)


def loud_enough(notices: Sequence[Notice], channel: Urgency) -> list[Notice]:
    """Those that are worth the channel."""
    least = LOUDNESS[channel]
    return [n for n in notices if LOUDNESS[HEADINGS[n.topic, n.level].urgency] >= least]


def _by_heading(notices: Sequence[Notice]) -> dict[tuple[str, str], tuple[Heading, list[Notice]]]:
    told = {key: (heading, [n for n in notices if (n.topic, n.level) == key]) for key, heading in HEADINGS.items()}
    return {key: (heading, found) for key, (heading, found) in told.items() if found}


def _shares(wanted: Mapping[tuple[str, str], int], room: int) -> dict[tuple[str, str], int]:
    """Divides `room` so that nobody who wants little goes short of those who want much."""
    shares: dict[tuple[str, str], int] = {}
    for key in sorted(wanted, key=lambda key: wanted[key]):
        shares[key] = min(wanted[key], room // (len(wanted) - len(shares)))
        room -= shares[key]
    return shares


def _lead(notices: Sequence[Notice]) -> str:
    return ", ".join(heading.count(sum(n.count for n in found)) for heading, found in _by_heading(notices).values())


def _subject(notices: Sequence[Notice], as_of: datetime) -> str:
    return f"Alert {as_of.astimezone(UTC):%H:%M} UTC: {_lead(notices)}"
