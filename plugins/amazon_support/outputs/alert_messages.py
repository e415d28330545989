"""Alerts in words: one mail with everything that is new for a person, and one sentence for chat and text messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import floor
from typing import Literal

from amazon_support.outputs.health import Figure
from amazon_support.outputs.items import Item, Shown
from amazon_support.outputs.messages import MAIL_ORDERS, MAIL_REPLIES, Group, Page, Rendered, render_page
from amazon_support.outputs.reader import N_, Reader

Urgency = Literal["email", "chat", "text"]  # the loudest channel that it is worth


@dataclass(frozen=True)
class Heading:
    """A part of an alert: its heading, how one and how several (None: the same) are counted, and how loud it is."""

    words: str
    one: str
    several: str | None
    urgency: Urgency
    is_work: bool = True

    def count(self, number: int, reader: Reader) -> str:
        return reader.say((number != 1 and self.several) or self.one, count=number)


# In the order in which they are read.
HEADINGS = {
    ("reply", "still_breached"): Heading(N_("Still breached"), N_("{count} still breached"), None, "text"),
    ("reply", "breached"): Heading(N_("Breached"), N_("{count} breached"), None, "chat"),
    ("deadline", "still_breached"): Heading(
        N_("Deadline long passed"), N_("{count} deadline long passed"), N_("{count} deadlines long passed"), "text"
    ),
    ("deadline", "breached"): Heading(
        N_("Deadline passed"), N_("{count} deadline passed"), N_("{count} deadlines passed"), "text"
    ),
    ("reply", "at_risk"): Heading(N_("At risk"), N_("{count} at risk"), None, "email"),
    ("deadline", "at_risk"): Heading(
        N_("Deadline near"), N_("{count} deadline near"), N_("{count} deadlines near"), "chat"
    ),
    ("shipment", "breached"): Heading(N_("Late to ship"), N_("{count} late to ship"), None, "chat"),
    ("shipment", "at_risk"): Heading(N_("To ship soon"), N_("{count} to ship soon"), None, "email"),
    ("health", "not_good"): Heading(
        N_("Account health not good"),
        N_("{count} health figure not good"),
        N_("{count} health figures not good"),
        "text",
        False,
    ),
    ("health", "worse"): Heading(
        N_("Account health worse than before"),
        N_("{count} health figure worse"),
        N_("{count} health figures worse"),
        "chat",
        False,
    ),
    ("phishing", "trouble"): Heading(
        N_("Imitations of Amazon"),
        N_("{count} imitation of Amazon"),
        N_("{count} imitations of Amazon"),
        "chat",
        False,
    ),
    ("pipeline", "trouble"): Heading(
        N_("Trouble in the pipeline"),
        N_("{count} trouble in the pipeline"),
        N_("{count} troubles in the pipeline"),
        "chat",
        False,
    ),
}
LOUDNESS: dict[Urgency, int] = {"email": 0, "chat": 1, "text": 2}


@dataclass(frozen=True)
class Notice:
    """One thing that somebody is told, in their words; as the templates show it.

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
        reader: Reader,
    ) -> "Notice":
        """Of an item of a worklist; due_at is of the clock that is told of, which may be another than the item's."""
        seconds = floor((due_at - as_of).total_seconds())
        shown = Shown(item, reader)
        return cls(
            topic=topic,
            level=level,
            identity=f"{item.ticket_id or item.order_id} {cycle}",
            account=item.account,
            title=shown.title,
            left=reader.time_left(seconds),
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


def alert_mail(names: Sequence[str], notices: Sequence[Notice], reader: Reader, *, as_of: datetime) -> Rendered:
    """The mail that tells people who share an address what is new.

    Args:
        notices: in the order in which they are read within their heading.
    """
    by_heading = _by_heading(notices)
    rows = _shares({key: len(told) for key, (_, told) in by_heading.items() if key[0] != "shipment"}, MAIL_REPLIES)
    groups = [
        Group(reader.say(heading.words), len(told), told[: rows.get(key, MAIL_ORDERS)], is_table=key not in rows)
        for key, (heading, told) in by_heading.items()
    ]
    title = reader.say("Alert for {names}", names=reader.join(names)) if names else reader.say("Alert")
    # Whatever is in this mail and not late is at risk.
    page = Page(title, as_of, _lead(notices, reader), groups, is_at_risk=lambda item: True)
    return render_page(_subject(notices, reader, as_of), page, "alert", reader=reader)


def alert_sentence(notices: Sequence[Notice], reader: Reader, *, as_of: datetime) -> Rendered:
    """One sentence of counts for chat and text messages: nobody's words, nobody's name."""
    work = any(heading.is_work for heading, _ in _by_heading(notices).values())
    sentence = N_("{alert}: see the worklist.") if work else N_("{alert}: see the e-mail.")
    subject = _subject(notices, reader, as_of)
    return Rendered(subject, "", reader.say(sentence, alert=subject))


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


def _lead(notices: Sequence[Notice], reader: Reader) -> str:
    found = _by_heading(notices).values()
    return reader.join(heading.count(sum(n.count for n in told), reader) for heading, told in found)


def _subject(notices: Sequence[Notice], reader: Reader, as_of: datetime) -> str:
    return reader.say("Alert {time}: {counts}", time=reader.clock(as_of), counts=_lead(notices, reader))
