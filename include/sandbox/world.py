"""The invented history that the sandbox serves: sellers, their orders, and the mail that belongs to them.

Same arguments, same history, byte for byte. Nobody in it exists; domains of our own end in .example.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sandbox.amazon_feedback import Feedback, make_feedback
from sandbox.letters import Letter, Scribe, Thread, Times
from sandbox.phrases import (
    CASES,
    INFORMATION,
    PRODUCTS,
    SITES,
    SPAM,
    STRANGERS,
    WARNINGS,
    Site,
    language,
)
from sandbox.purchases import Item, Purchase, make_buyer, make_purchases, order_json

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ASKED_AFTER = 6 * DAY  # delivery; Amazon lets one ask for a review from the 5th to the 30th day

# Hours that a buyer's last message has waited at the end of the history: fresh, at risk (20 to 24), breached.
# One of each for every hundred orders, at least.
WAITING = ((0.2, 6), (1, 16), (20.2, 23.8), (25, 60), (40, 150))


@dataclass(frozen=True)
class Seller:
    """One refresh token: an account in one region (`na`, `eu`, `fe`), with its marketplaces as country codes."""

    account: str
    region: str
    marketplaces: tuple[str, ...]
    client_id: str
    client_secret: str
    refresh_token: str
    merchant_id: str


@dataclass(frozen=True)
class SandboxMail:
    """A mail as our server keeps it. `received_at` is aware UTC: the IMAP INTERNALDATE."""

    account: str
    received_at: datetime
    raw: bytes


@dataclass(frozen=True)
class World:
    """A finished history.

    orders: per (account, region), in the JSON shape of Amazon's orders_2026-01-01 model.
    mails: every account's, by received_at; now and then one comes twice.
    truth: what each mail was meant to say, by Message-ID.
    feedback: per (account, region); some of it changes only after the history's end.
    review_requests: per account, (order id, when its buyer was asked for a review); aware UTC.
    """

    sellers: tuple[Seller, ...]
    orders: dict[tuple[str, str], list[dict[str, Any]]]
    mails: list[SandboxMail]
    truth: dict[str, Letter] = field(default_factory=dict)
    feedback: dict[tuple[str, str], list[Feedback]] = field(default_factory=dict)
    review_requests: dict[str, list[tuple[str, datetime]]] = field(default_factory=dict)


def generate(*, seed: int, until: datetime, days: int, sellers: Sequence[Seller], orders_per_day: float) -> World:
    """Invent the `days` before `until` (aware UTC): `orders_per_day` for each seller, and the mail around them.

    Nothing in the result is later than `until`. Raises ValueError for a marketplace that Amazon has not, or
    for an `until` without time zone.
    """
    if until.tzinfo is None:
        raise ValueError("until: expected an instant with time zone, such as 2026-03-14T00:00:00+00:00")
    orders: dict[tuple[str, str], list[dict[str, Any]]] = {}
    feedback: dict[tuple[str, str], list[Feedback]] = {}
    review_requests: dict[str, list[tuple[str, datetime]]] = {}
    written: list[tuple[Letter, bytes]] = []
    for seller in sellers:
        history = _History(seed, seller, until.replace(microsecond=0), days, orders_per_day)
        orders[seller.account, seller.region] = [order_json(purchase) for purchase in history.purchases]
        feedback[seller.account, seller.region] = history.feedback
        review_requests.setdefault(seller.account, []).extend(history.review_requests())
        written += history.written()
    written.sort(key=lambda each: (each[0].received_at, each[0].message_id))
    return World(
        sellers=tuple(sellers),
        orders=orders,
        mails=[SandboxMail(letter.account, letter.received_at, raw) for letter, raw in written],
        truth={letter.message_id: letter for letter, _ in written},
        feedback=feedback,
        review_requests=review_requests,
    )


def demo_sellers() -> tuple[Seller, ...]:
    """Two invented accounts, one of them in two regions."""
    return (
        _demo_seller("northwind", "na", "US", "CA", "MX"),
        _demo_seller("northwind", "eu", "UK", "DE", "FR", "IT", "ES"),
        _demo_seller("kirschblut", "fe", "JP", "AU", "SG"),
    )


def _demo_seller(account: str, region: str, *marketplaces: str) -> Seller:
    return Seller(
        account=account,
        region=region,
        marketplaces=marketplaces,
        client_id=f"amzn1.application-oa2-client.{account}",
        client_secret=f"sandbox-secret-{account}",
        refresh_token=f"Atzr|sandbox-{account}-{region}",
        merchant_id=f"A{account[:8].upper()}{region.upper()}",
    )


class _History:
    """What happened to one seller."""

    def __init__(self, seed: int, seller: Seller, until: datetime, days: int, per_day: float) -> None:
        name = f"{seed}/{seller.account}/{seller.region}"
        self._rng = Random(f"{name}/people")
        self._until = until
        self._since = until - days * DAY
        self._sites = [_site(country) for country in seller.marketplaces]
        self._scribe = Scribe(Random(f"{name}/letters"), seller.account, seller.region, seller.merchant_id)
        orders = Random(f"{name}/orders")
        self.purchases = make_purchases(orders, self._sites, self._since, until, per_day)
        self.feedback: list[Feedback] = []
        self._opinions = Random(f"{name}/feedback")
        self._silent: list[Purchase] = []
        self._paid = [purchase for purchase in self.purchases if purchase.status != "PENDING"]
        if self._paid:
            self._people()
            self._notices()
        self._account_mail()

    def written(self) -> list[tuple[Letter, bytes]]:
        """Mail that had arrived by the end; one in a hundred came twice."""
        arrived = [each for each in self._scribe.written if each[0].received_at <= self._until]
        return arrived + [each for each in arrived if self._rng.random() < 0.01]

    def review_requests(self) -> Iterator[tuple[str, datetime]]:
        """What a desk's automation has asked for by the end."""
        for purchase in self._paid:
            if purchase.delivered_at and (at := purchase.delivered_at + ASKED_AFTER) <= self._until:
                yield purchase.order_id, at

    # ---------- how people behave

    def _people(self) -> None:
        rng = self._rng
        for purchase in self._paid:
            if rng.random() < 0.12:
                self._conversation(self._thread(purchase), self._after(purchase.created_at, 4, 260))
            else:
                self._silent.append(purchase)
        for at in self._moments(len(self._paid) / 60):
            self._conversation(self._presale(), at)
        for _ in range(max(1, len(self._paid) // 100)):
            for youngest, oldest in WAITING:
                self._left_waiting(rng.uniform(youngest, oldest))

    def _thread(self, purchase: Purchase) -> Thread:
        return self._scribe.thread(purchase.buyer, purchase, purchase.items[0])

    def _presale(self) -> Thread:
        rng = self._rng
        site, product = rng.choice(self._sites), rng.choice(PRODUCTS)
        title = product.titles.get(site.language, product.titles["en"])
        item = Item(product, f"B0{product.stem[:3]}Q{product.stem[-2:]}XX"[:10].upper(), product.stem, title, 1, 0, "")
        return self._scribe.thread(make_buyer(rng, site), None, item)

    def _conversation(self, thread: Thread, at: datetime) -> None:
        """Question, answer, and so on until somebody has had enough."""
        rng = self._rng
        words = language(thread.buyer.site.language)
        openings = words.questions if thread.purchase else words.presale
        asked = self._ask(thread, self._say(thread, rng.choice(openings)), at)
        while asked and (replied := self._reply(thread, asked)):
            asked = self._next(thread, replied)

    def _left_waiting(self, hours: float) -> None:
        """Somebody asked that long ago and nobody has answered."""
        asked_at = self._until - hours * HOUR
        buyers = [purchase for purchase in self._silent if purchase.created_at < asked_at]
        if not buyers:
            return
        purchase = self._rng.choice(buyers[-60:])
        self._silent.remove(purchase)
        thread = self._thread(purchase)
        question = self._rng.choice(language(thread.buyer.site.language).questions)
        self._scribe.question(thread, self._say(thread, question), self._arrives(asked_at, slow=0))

    def _say(self, thread: Thread, text: str) -> str:
        words = language(thread.buyer.site.language)
        name = thread.buyer.name
        return f"{self._rng.choice(words.greetings)}\n\n{text}\n\n{self._rng.choice(words.closings)}\n{name}"

    def _ask(self, thread: Thread, words: str, at: datetime) -> Letter | None:
        if at > self._until:
            return None
        chance = self._rng.random()
        times = self._arrives(at, slow=0.06)
        if thread.purchase and not thread.letters and chance < 0.05:
            return self._scribe.from_customer_service(thread, words, times)
        return self._scribe.question(thread, words, times, with_photo=chance > 0.88)

    def _reply(self, thread: Thread, asked: Letter) -> Letter | None:
        """Mostly within 24 hours, sometimes late, sometimes never."""
        rng = self._rng
        chance = rng.random()
        if chance < 0.05:
            return None
        hours = rng.uniform(24.5, 70) if chance < 0.14 else min(0.2 + rng.expovariate(1 / 7), 23.5)
        replied_at = asked.sent_at + hours * HOUR
        if replied_at > self._until:
            return None
        words = self._answer(thread)
        # Now and then the copy of the answer is here before the question, or hours after it was sent.
        times = self._arrives(max(replied_at, asked.sent_at), slow=0.12)
        if rng.random() < 0.03:
            self._scribe.reply_copy(thread, words, self._arrives(asked.sent_at + 2 * HOUR / 60), is_automatic=True)
        reply = self._scribe.reply_copy(thread, words, times)
        return self._undelivered(thread, reply) if rng.random() < 0.03 else reply

    def _answer(self, thread: Thread) -> str:
        words = language(thread.buyer.site.language)
        return f"{words.greetings[0]}\n\n{self._rng.choice(words.replies)}\n\n{words.closings[0]}\nSupport"

    def _undelivered(self, thread: Thread, reply: Letter) -> Letter | None:
        """The reply did not reach the buyer: mostly the agent writes again, and that one does."""
        rng = self._rng
        failed = self._arrives(reply.sent_at + rng.uniform(1, 20) / 60 * HOUR)
        chance = rng.random()
        if chance < 0.35:
            self._scribe.bounce(thread, reply, failed)
        else:
            self._scribe.delivery_failure(thread, reply, failed, opted_out=chance > 0.75)
        again_at = failed.received_at + rng.uniform(0.5, 10) * HOUR
        if chance > 0.75 or again_at > self._until:
            return None
        return self._scribe.reply_copy(thread, self._answer(thread), self._arrives(again_at))

    def _next(self, thread: Thread, replied: Letter) -> Letter | None:
        """What the buyer does about our reply; None: nothing that needs an answer."""
        rng = self._rng
        words = language(thread.buyer.site.language)
        chance = rng.random()
        if chance < 0.04:
            self._scribe.away(thread, self._arrives(replied.sent_at + timedelta(minutes=3)))
            return None
        if chance < 0.2:
            at = self._after(replied.sent_at, 1, 30)
            asked = self._ask(thread, rng.choice(words.thanks), at)
            return asked if rng.random() < 0.6 else None
        if chance < 0.4:
            # Beyond 168 hours the ticket was solved by silence and is opened again.
            at = self._after(replied.sent_at, 2, 50) if chance < 0.34 else self._after(replied.sent_at, 170, 260)
            text = rng.choice(words.again)
            if at <= self._until and rng.random() < 0.4:
                return self._scribe.answer_from_mail_program(thread, text, self._arrives(at))
            return self._ask(thread, self._say(thread, text), at)
        return None

    # ---------- what Amazon reports on orders

    def _notices(self) -> None:
        rng, scribe = self._rng, self._scribe
        for purchase in self._paid:
            if not purchase.is_fba:
                scribe.order_notice(purchase, self._arrives(purchase.changed_at[1]))
        for purchase, at in self._some(0.04):
            scribe.return_request(purchase, self._arrives(at))
            if (refunded_at := self._after(at, 30, 200)) <= self._until and rng.random() < 0.7:
                scribe.refund_notice(purchase, self._arrives(refunded_at))
        for purchase, at in self._some(0.02):
            times, rating = self._arrives(at), rng.choice((1, 1, 2, 3))
            notice = scribe.feedback_notice(purchase, times, rating)
            self._feedback(purchase, times.sent_at, rating, notice.words)
        self._feedback_without_notice()
        for purchase, at in self._some(0.008):
            self._claim(purchase, at)
        for purchase, at in self._some(0.002):
            scribe.chargeback(purchase, self._arrives(at))
        self._cancellations()

    def _feedback(self, purchase: Purchase, at: datetime, rating: int, comments: str) -> None:
        response = language(purchase.site.language).replies[0]
        self.feedback.append(make_feedback(self._opinions, purchase, at, rating, comments, response))

    def _feedback_without_notice(self) -> None:
        """Amazon does not write a mail of all feedback."""
        opinions, known = self._opinions, {each.order_id for each in self.feedback}
        for purchase in self._paid:
            if purchase.delivered_at and purchase.order_id not in known and opinions.random() < 0.01:
                at = (purchase.delivered_at + opinions.random() * (self._until - purchase.delivered_at)).replace(
                    microsecond=0
                )
                comments = opinions.choice(language(purchase.site.language).comments)
                self._feedback(purchase, at, opinions.choice((1, 2, 3)), comments)

    def _claim(self, purchase: Purchase, at: datetime) -> None:
        self._scribe.order_event("a_to_z_opened", purchase, self._arrives(at), ["deadline"])
        decided_at = self._after(at, 60, 150)
        if decided_at <= self._until:
            verdict = self._rng.choice((["granted", "appeal"], ["funded"], ["denied"]))
            self._scribe.order_event("a_to_z_decided", purchase, self._arrives(decided_at), verdict)

    def _cancellations(self) -> None:
        """Buyers ask soon after ordering, before anything was sent."""
        young = [purchase for purchase in self._paid if not purchase.is_fba and purchase.status != "CANCELLED"]
        for purchase in self._rng.sample(young, min(len(young), 1 + len(young) // 60)):
            at = self._after(purchase.changed_at[1], 0.1, 3)
            if at <= self._until:
                purchase.cancel_reason = self._rng.choice(language(purchase.site.language).reasons)
                purchase.changed_at.append(at)
                self._scribe.order_event("cancellation_request", purchase, self._arrives(at))

    def _some(self, share: float) -> Iterator[tuple[Purchase, datetime]]:
        """A share of the orders that were sent (one at least), and an instant some days after that."""
        sent = [purchase for purchase in self._paid if purchase.shipped_at]
        for purchase in self._rng.sample(sent, min(len(sent), max(1, round(len(sent) * share)))):
            since = purchase.shipped_at or purchase.created_at
            at = (since + self._rng.uniform(0.2, 1) * min(10 * DAY, self._until - since)).replace(microsecond=0)
            yield purchase, at

    # ---------- the rest of the mailbox

    def _account_mail(self) -> None:
        rng, scribe, days = self._rng, self._scribe, (self._until - self._since) / DAY
        for at in self._moments(days * 0.8):
            subject, text = rng.choice(INFORMATION)
            scribe.from_amazon("amazon_information", self._any_site(), "no-reply", subject, text, self._arrives(at))
        for at in self._moments(days / 8):
            self._warning(at)
        for at in self._moments(days / 6):
            self._case(at)
        for at in self._moments(days / 10):
            title = rng.choice(PRODUCTS).titles["en"]
            subject = f"A customer asked a question about {title}"
            text = f"{subject}\n\nDoes it fit in a hand luggage case?\n\nAnswer this question on the product page."
            scribe.from_amazon("system_qa", self._any_site(), "community-help", subject, text, self._arrives(at))
        for at in self._moments(days / 3):
            scribe.from_stranger(self._any_site(), rng.choice(STRANGERS), self._arrives(at))
        for at in self._moments(days / 2):
            scribe.from_stranger(self._any_site(), rng.choice(SPAM), self._arrives(at))
        for number, at in enumerate(self._moments(days / 5)):
            if self._paid:
                scribe.imitation(rng.choice(self._paid), number, self._arrives(at))

    def _warning(self, at: datetime) -> None:
        subject, text = self._rng.choice(WARNINGS)
        asin = self.purchases[0].items[0].asin if self.purchases else "B000000000"
        self._scribe.from_amazon(
            "performance_notification",
            self._any_site(),
            "seller-performance",
            subject.format(asin=asin),
            text.format(asin=asin, days=3),
            self._arrives(at),
        )

    def _case(self, at: datetime) -> None:
        """A Seller Support case: opened, answered some hours later, perhaps closed after days."""
        rng, site = self._rng, self._any_site()
        subject, answer = rng.choice(CASES)
        case_id = str(rng.randrange(10**9, 10**10))
        texts = ("We received your case.", answer, "This case is now closed. Reopen it within 14 days if needed.")
        for text, hours in zip(texts, (0, rng.uniform(5, 60), rng.uniform(70, 200)), strict=True):
            if (moved_at := at + hours * HOUR) <= self._until:
                body = f"Case ID: {case_id}\n\n{text}\n\nAmazon Seller Support"
                heading = f"[CASE {case_id}] {subject}"
                times = self._arrives(moved_at)
                self._scribe.from_amazon("case_update", site, "merch.service05", heading, body, times, case_id)

    def _any_site(self) -> Site:
        return self._rng.choice(self._sites)

    # ---------- time

    def _moments(self, count: float) -> list[datetime]:
        """So many instants (one at least) spread over the history."""
        length = self._until - self._since
        return sorted(self._since + self._rng.random() * length for _ in range(max(1, round(count))))

    def _after(self, at: datetime, least_hours: float, most_hours: float) -> datetime:
        return at + self._rng.uniform(least_hours, most_hours) * HOUR

    def _arrives(self, at: datetime, slow: float = 0.02) -> Times:
        """Sent then, received some seconds later; a share of `slow` takes hours."""
        rng = self._rng
        delay = rng.uniform(0.5, 6) * HOUR if rng.random() < slow else timedelta(seconds=rng.randint(2, 90))
        sent_at = at.replace(microsecond=0)
        return Times(sent_at, (sent_at + delay).replace(microsecond=0))


def _site(country: str) -> Site:
    try:
        return SITES[country]
    except KeyError:
        raise ValueError(f"no marketplace {country!r}; there are: {', '.join(SITES)}") from None
