"""Builds the e-mails of the invented history, with the headers, frames, footers and encodings that real ones have."""

import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.charset import QP, Charset
from email.header import Header
from email.message import Message
from email.mime.base import MIMEBase
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime, formataddr
from random import Random
from string import ascii_uppercase, digits
from uuid import UUID

from sandbox.phrases import IMITATIONS, NOTIFICATION_SENDERS, Language, Site, language
from sandbox.purchases import Buyer, Item, Purchase, money

OUR_SERVER = "mx.shop.example"
SES_HOSTS = {"na": "email.amazonses.com", "eu": "eu-west-1.amazonses.com", "fe": "us-west-2.amazonses.com"}
NOTIFICATION_TYPES = {
    "buyer_message": "BBC_MESSAGE_SENT_TO_MERCHANT",
    "reply_copy": "BBC_MESSAGE_CONFIRMATION_TO_MERCHANT",
    "return_request": "RETURN_REQUEST",
    "refund_notice": "REFUND_ISSUED",
    "a_to_z_opened": "A_Z_CLAIM_RESPONDENT_NOTIFY",
    "a_to_z_decided": "A_Z_CLAIM_RESPONDENT_CLOSE",
    "cancellation_request": "BRC_SELLER_NOTIFICATION",
    "buyer_opted_out": "BUYER_OPTED_OUT_BSM_MESSAGES",
}
AS_SENT = compat32.clone(linesep="\r\n", max_line_length=998)
UTF8_BASE64, LATIN, JAPANESE = Charset("utf-8"), Charset("iso-8859-1"), Charset("iso-2022-jp")
UTF8 = Charset("utf-8")
UTF8.body_encoding = QP

# A picture of one grey dot.
PHOTO = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c6368000000820081dd436af40000000049454e44ae426082"
)
PHOTO_NAMES = ("IMG_2041.png", "foto.png", "../../photo.png", "crack.jpg.png", "画像.png")


@dataclass(frozen=True)
class Letter:
    """What one mail was meant to be: the answer that reading it should give.

    kind: a name of the product's list of mail kinds. words: what the person wrote, without anything around it.
    answers: Message-ID of the mail it answers, or of the reply that a delivery failure is about.
    received_at: when our server got it, later than sent_at; both aware UTC.
    """

    account: str
    kind: str
    message_id: str
    sent_at: datetime
    received_at: datetime
    marketplace: str | None = None
    order_id: str | None = None
    buyer_name: str | None = None
    buyer_alias: str | None = None
    words: str = ""
    case_id: str | None = None
    rating: int | None = None
    answers: str | None = None
    is_automatic: bool = False


@dataclass(frozen=True)
class Times:
    sent_at: datetime
    received_at: datetime


@dataclass
class Thread:
    """A conversation as Amazon numbers it."""

    buyer: Buyer
    purchase: Purchase | None
    item: Item
    token: str
    case: str
    letters: list[Letter] = field(default_factory=list)

    @property
    def order_id(self) -> str | None:
        return self.purchase.order_id if self.purchase else None


@dataclass(frozen=True)
class _Body:
    """text and html: either may be missing. photo: name of an attached picture."""

    text: str | None
    html: str | None
    photo: str = ""


@dataclass(frozen=True)
class _Envelope:
    sender: tuple[str, str]
    subject: str
    site: Site
    headers: Sequence[tuple[str, str]] = ()
    authentic: bool = True
    signed_by: str = ""


class Scribe:
    """Writes one seller's mail; everything it wrote is in `written`, in the order of writing."""

    def __init__(self, rng: Random, account: str, region: str, merchant_id: str) -> None:
        self.account = account
        self.written: list[tuple[Letter, bytes]] = []
        self._rng = rng
        self._region = region
        self._merchant_id = merchant_id

    # ---------- conversations

    def thread(self, buyer: Buyer, purchase: Purchase | None, item: Item) -> Thread:
        return Thread(buyer, purchase, item, token=self._token(14), case=self._digits(10))

    def question(self, thread: Thread, words: str, times: Times, *, with_photo: bool = False) -> Letter:
        """A buyer's message in Amazon's frame: text and HTML."""
        site = thread.buyer.site
        own = language(site.language)
        shell = own if self._rng.random() < 0.92 else language("en")
        subject = self._rng.choice(own.subjects).format(name=thread.buyer.name)
        if thread.order_id:
            subject += self._rng.choice((" ", " ", " ", "")) + own.order_in_subject.format(order=thread.order_id)
        begin, end = self._frame(self._rng.choice(shell.frames))
        body = self._framed(thread, shell, (begin, words, end), times.sent_at)
        if with_photo:
            body = _Body(body.text, body.html, self._rng.choice(PHOTO_NAMES))
        return self._from_buyer(thread, words, times, subject, body)

    def answer_from_mail_program(self, thread: Thread, words: str, times: Times) -> Letter:
        """The buyer answers our reply from a mail program: above the quote, and the frame in it holds our text."""
        own = language(thread.buyer.site.language)
        reply = next(letter for letter in reversed(thread.letters) if letter.kind == "reply_copy")
        begin, end = self._frame(own.reply_frame)
        date = format_datetime(reply.sent_at)
        quote = own.quote.format(date=date, name="Support")
        quoted = [begin, "", *reply.words.split("\n"), "", end, f"[commMgrTok:{thread.token}]"]
        text = "\n".join([words, "", quote, *(f"> {line}" for line in quoted)])
        markup = (
            f"<div>{_lines(words)}</div><div>{html.escape(quote)}</div>"
            f"<blockquote type='cite'>{'<br>'.join(map(html.escape, quoted))}</blockquote>"
        )
        subject = "Re: " + own.subjects[0].format(name=thread.buyer.name)
        if thread.order_id:
            subject += " " + own.order_in_subject.format(order=thread.order_id)
        return self._from_buyer(thread, words, times, subject, _Body(text, markup), answers=reply.message_id)

    def from_customer_service(self, thread: Thread, words: str, times: Times) -> Letter:
        """Amazon's customer service writes for the buyer; the 24 hours run all the same."""
        text = (
            "Dear seller,\n\nAn inquiry from one of our customers needs your answer.\n\n"
            f"Order#: {thread.order_id}\nItem: {thread.item.title}\nReason: Order information\nDetails: {words}\n\n"
            "Please answer the customer directly.\nAmazon Customer Service"
        )
        return self._from_buyer(thread, words, times, "An inquiry from one of our customers", _Body(text, None))

    def away(self, thread: Thread, times: Times) -> Letter:
        """The buyer's mail program answers our reply by itself."""
        own = language(thread.buyer.site.language)
        return self._from_buyer(
            thread, own.away, times, f"Automatic reply: {thread.buyer.name}", _Body(own.away, None), is_automatic=True
        )

    def reply_copy(self, thread: Thread, words: str, times: Times, *, is_automatic: bool = False) -> Letter:
        """Copy of what an agent answered: HTML only; order id, ASIN and In-Reply-To are there or not."""
        rng, buyer = self._rng, thread.buyer
        site, own = buyer.site, language(buyer.site.language)
        shell = own if rng.random() < 0.85 else language("en")
        begin, end = self._frame(own.reply_frame)
        question = next((letter for letter in reversed(thread.letters) if letter.kind == "buyer_message"), None)
        order_line = shell.order_line.format(order=thread.order_id) if thread.order_id and rng.random() < 0.6 else ""
        footer = self._footer_html(thread, shell, times.sent_at, "reply_copy")
        markup = (
            f"<html><body><p>{html.escape(shell.reply_intro.format(name=buyer.name))}</p><p>{order_line}</p>"
            f"<p>{begin}</p>\n<p>{_lines(words)}</p>\n<p>{end}</p>{footer}</body></html>"
        )
        headers = []
        # Without order id and reference only the buyer's name links a copy.
        if question and rng.random() < (0.7 if order_line else 0.5):
            headers += [("In-Reply-To", question.message_id), ("References", question.message_id)]
        if is_automatic:
            headers.append(("Auto-Submitted", "auto-replied"))
        letter = self._letter(
            "reply_copy",
            times,
            site,
            order_id=thread.order_id,
            buyer_name=buyer.name,
            words=words,
            answers=question.message_id if question else None,
            is_automatic=is_automatic,
        )
        envelope = _Envelope(
            ("", f"donotreply@{site.domain}"), own.reply_subject.format(name=buyer.name), site, headers
        )
        thread.letters.append(letter)
        return self._write(letter, envelope, _Body(None, markup))

    def delivery_failure(self, thread: Thread, reply: Letter, times: Times, *, opted_out: bool = False) -> Letter:
        """Amazon tells that our reply did not reach the buyer."""
        kind = "buyer_opted_out" if opted_out else "delivery_failure"
        buyer = thread.buyer
        site, own = buyer.site, language(buyer.site.language)
        text = own.labels["unable"].format(name=buyer.name.split()[0], order=thread.order_id or "-")
        if opted_out:
            text += "\n" + own.labels["opted_out"]
        markup = (
            f"<html><body><p>{_lines(text)}</p>"
            f'<p><a href="mailto:{buyer.address}">{html.escape(buyer.name.split()[0])}</a></p></body></html>'
        )
        letter = self._letter(kind, times, site, order_id=thread.order_id, answers=reply.message_id)
        sender = "auto-communication@amazon.com" if opted_out else f"donotreply@{site.domain}"
        headers = [("In-Reply-To", reply.message_id), ("References", reply.message_id)]
        subject = own.notices[kind].format(name=buyer.name)
        return self._write(letter, _Envelope(("Amazon", sender), subject, site, headers), _Body(text, markup))

    def bounce(self, thread: Thread, reply: Letter, times: Times) -> Letter:
        """Our own mail server could not deliver the reply: a multipart/report."""
        buyer = thread.buyer
        text = f"I'm sorry to have to inform you that your message could not be delivered to {buyer.address}."
        server, recipient = Message(), Message()
        server["Reporting-MTA"] = f"dns; {OUR_SERVER}"
        recipient["Final-Recipient"] = f"rfc822; {buyer.address}"
        recipient["Action"] = "failed"
        recipient["Status"] = "5.2.1"
        status = MIMEBase("message", "delivery-status")
        status.set_payload([server, recipient])
        original = MIMEText(
            f"Subject: Re: order {thread.order_id or '-'}\nMessage-ID: {reply.message_id}\n", "rfc822-headers"
        )
        letter = self._letter(
            "delivery_failure",
            times,
            buyer.site,
            order_id=thread.order_id,
            answers=reply.message_id,
            host=OUR_SERVER,
        )
        envelope = _Envelope(
            ("Mail Delivery System", f"MAILER-DAEMON@{OUR_SERVER}"),
            "Undelivered Mail Returned to Sender",
            buyer.site,
            [("In-Reply-To", reply.message_id), ("Auto-Submitted", "auto-replied")],
            signed_by=OUR_SERVER,
        )
        report = self._multipart("report", [MIMEText(text), status, original])
        report.set_param("report-type", "delivery-status")
        return self._send(letter, envelope, report, UTF8)

    # ---------- notices on an order

    def order_notice(self, purchase: Purchase, times: Times) -> Letter:
        item, words = purchase.items[0], language(purchase.site.language)
        subject = words.notices["order_notice"].format(sku=item.sku, title=item.title)
        lines = [
            (words.labels["order"], purchase.order_id),
            (words.labels["product"], item.title),
            (words.labels["quantity"], str(item.quantity)),
            (words.labels["ship_by"], f"{purchase.ship_by_at:%d.%m.%Y}"),
        ]
        letter = self._letter("order_notice", times, purchase.site, order_id=purchase.order_id)
        return self._notice(letter, purchase.site, subject, lines)

    def return_request(self, purchase: Purchase, times: Times) -> Letter:
        """HTML only: a list of facts and one table of the items."""
        rng, item, words = self._rng, purchase.items[0], language(purchase.site.language)
        labels, comment = words.labels, rng.choice(words.comments)
        facts = [
            ("Order ID" if rng.random() < 0.3 else labels["order"], purchase.order_id),
            (labels["requested"], f"{times.sent_at:%d.%m.%Y}"),
            (labels["policy"], labels["yes"]),
            (labels["authorisation"], labels["yes"]),
        ]
        headings = ["ASIN", "SKU", labels["product"], labels["quantity"], labels["reason"], labels["comment"]]
        cells = [item.asin, item.sku, item.title, "1", rng.choice(words.reasons), comment]
        markup = (
            "<html><body><ul>"
            + "".join(f"<li><b>{label}:</b> {value}</li>\n" for label, value in facts)
            + f"</ul><table border='1'><tr>{_cells('th', headings)}</tr><tr>{_cells('td', cells)}</tr></table>"
            + "</body></html>"
        )
        letter = self._letter("return_request", times, purchase.site, order_id=purchase.order_id, words=comment)
        envelope = self._amazon(purchase.site, words.notices["return_request"].format(order=purchase.order_id))
        return self._write(letter, envelope, _Body(None, markup))

    def refund_notice(self, purchase: Purchase, times: Times) -> Letter:
        """A newsletter rule would bin it: it carries List-Unsubscribe."""
        words, site = language(purchase.site.language), purchase.site
        subject = words.notices["refund_notice"].format(order=purchase.order_id)
        lines = [
            (words.labels["order"], purchase.order_id),
            ("SKU", purchase.items[0].sku),
            (words.labels["amount"], _price(purchase.items[0].unit_price, site)),
        ]
        letter = self._letter("refund_notice", times, site, order_id=purchase.order_id)
        unsubscribe = ("List-Unsubscribe", f"<https://sellercentral.{site.domain}/notifications/preferences>")
        return self._notice(letter, site, subject, lines, headers=[unsubscribe])

    def order_event(self, kind: str, purchase: Purchase, times: Times, phrases: Sequence[str] = ()) -> Letter:
        """cancellation_request, a_to_z_opened, a_to_z_decided: order, amount and what follows from it."""
        words, site = language(purchase.site.language), purchase.site
        lines = [(words.labels["order"], purchase.order_id), (words.labels["product"], purchase.items[0].title)]
        if kind != "cancellation_request":
            lines.append((words.labels["amount"], _price(purchase.total, site)))
        said = purchase.cancel_reason if kind == "cancellation_request" else None
        if said:
            lines.append((words.labels["reason"], said))
        subject = words.notices[kind].format(order=purchase.order_id)
        letter = self._letter(kind, times, site, order_id=purchase.order_id, words=said or "")
        return self._notice(letter, site, subject, lines, [words.labels[p].format(days=3) for p in phrases])

    def feedback_notice(self, purchase: Purchase, times: Times, rating: int) -> Letter:
        words, comment = language(purchase.site.language), self._rng.choice(language(purchase.site.language).comments)
        lines = [
            (words.labels["order"], purchase.order_id),
            (words.labels["rating"], f"{rating} / 5"),
            (words.labels["comment"], comment),
        ]
        letter = self._letter(
            "feedback_notice", times, purchase.site, order_id=purchase.order_id, words=comment, rating=rating
        )
        subject = words.notices["feedback_notice"].format(order=purchase.order_id, rating=rating)
        return self._notice(letter, purchase.site, subject, lines)

    def chargeback(self, purchase: Purchase, times: Times) -> Letter:
        letter = self._letter("chargeback", times, purchase.site, order_id=purchase.order_id)
        lines = [("Order ID", purchase.order_id), ("Amount", _price(purchase.total, purchase.site))]
        return self._notice(
            letter,
            purchase.site,
            f"Chargeback claim on order {purchase.order_id}",
            lines,
            ["The buyer's bank disputes this charge. Answer within 7 days."],
            sender="cb-seller-notification@amazon.com",
        )

    # ---------- the rest of the mailbox

    def from_amazon(
        self, kind: str, site: Site, local: str, subject: str, text: str, times: Times, case_id: str | None = None
    ) -> Letter:
        """Mail about the account, in English: case_update, performance_notification, system_qa, amazon_information."""
        letter = self._letter(kind, times, site, case_id=case_id)
        envelope = _Envelope(("Amazon", f"{local}@{site.domain}"), subject, site)
        return self._write(letter, envelope, _Body(text, None))

    def from_stranger(self, site: Site, mail: tuple[str, str, str, str], times: Times) -> Letter:
        """`mail`: sender's name, address, subject, text."""
        name, address, subject, text = mail
        letter = self._letter("unknown", times, None, words=text)
        envelope = _Envelope((name, address), subject, site, signed_by=address.rpartition("@")[2])
        return self._write(letter, envelope, _Body(text, None))

    def imitation(self, purchase: Purchase, number: int, times: Times) -> Letter:
        """Says it is from Amazon, and brings its own forged proof; our server saw that it is not."""
        site, buyer = purchase.site, purchase.buyer
        local, subject, text = IMITATIONS[number % len(IMITATIONS)]
        is_buyer = local == "{alias}"
        address = buyer.address if is_buyer else f"{local}@{site.domain}"
        link = f"https://sellercentral.{site.domain}.verify-login.example/messaging/no-response-needed?t=1"
        headers = [("Authentication-Results", f"mx.{site.domain}.example; dkim=pass header.d={site.domain}")]
        if is_buyer:
            headers.append(("X-Space-Notification-Type", NOTIFICATION_TYPES["buyer_message"]))
        letter = self._letter("imitation", times, site)
        subject = subject.format(name=buyer.name, order=purchase.order_id)
        envelope = _Envelope(("Amazon Seller Central", address), subject, site, headers, authentic=False)
        text = text.format(link=link)
        return self._write(letter, envelope, _Body(text, f'<p>{html.escape(text)}</p><a href="{link}">Sign in</a>'))

    # ---------- how mail is put together

    def _from_buyer(
        self,
        thread: Thread,
        words: str,
        times: Times,
        subject: str,
        body: _Body,
        *,
        answers: str | None = None,
        is_automatic: bool = False,
    ) -> Letter:
        rng, buyer = self._rng, thread.buyer
        local = buyer.alias if rng.random() < 0.7 else f"{buyer.alias}+{self._uuid()}"
        suffix = rng.choice((" - Amazon Marketplace", " - Amazon Marketplace", ""))
        headers = [("Reply-To", buyer.address)]
        if answers:
            headers += [("In-Reply-To", answers), ("References", answers)]
        if is_automatic:
            headers.append(("Auto-Submitted", "auto-replied"))
        letter = self._letter(
            "buyer_message",
            times,
            buyer.site,
            order_id=thread.order_id,
            buyer_name=buyer.name,
            buyer_alias=buyer.address,
            words=words,
            answers=answers,
            is_automatic=is_automatic,
        )
        sender = (buyer.name + suffix, f"{local}@marketplace.{buyer.site.domain}")
        thread.letters.append(letter)
        return self._write(letter, _Envelope(sender, subject, buyer.site, headers), body)

    def _framed(self, thread: Thread, shell: Language, frame: tuple[str, str, str], sent_at: datetime) -> _Body:
        begin, words, end = frame
        above = [shell.intro, ""]
        if thread.order_id:
            above.append(shell.order_line.format(order=thread.order_id))
        item = thread.item
        above.append(shell.item_line.format(quantity=item.quantity, title=item.title, asin=item.asin))
        text = "\n".join([*above, "", begin, "", words, "", end, "", *self._footer_lines(thread, shell, sent_at)])
        footer = self._footer_html(thread, shell, sent_at, "buyer_message")
        markup = (
            f"<html><body><table><tr><td><p>{'<br>'.join(map(html.escape, above))}</p><p>{html.escape(begin)}</p>"
            f'<pre style="font-family:Arial,sans-serif;white-space:pre-wrap">{html.escape(words, quote=False)}</pre>'
            f"<p>{html.escape(end)}</p>{footer}</td></tr></table></body></html>"
        )
        return _Body(text, markup)

    def _frame(self, words: tuple[str, str]) -> tuple[str, str]:
        dashes = "-" * self._rng.choice((10, 13, 13, 15))
        begin, end = (f"{dashes} {word} {dashes}" if word else dashes + dashes for word in words)
        return begin, end

    def _links(self, thread: Thread, sent_at: datetime) -> tuple[str, str]:
        """The signed link that marks the message as needing no response, and the one that reports it."""
        site = thread.buyer.site
        host = f"https://sellercentral.{site.domain}/messaging"
        state = Random(f"{thread.token}{sent_at}")  # the same in text and HTML
        message = "A" + "".join(state.choices(ascii_uppercase + digits, k=13))
        signature = "".join(state.choices("0123456789abcdef", k=40))
        resolve = (
            f"{host}/no-response-needed?t={thread.token}&m={message}&mp={site.marketplace_id}"
            f"&c={self._merchant_id}&d={int(sent_at.timestamp())}&s={signature}"
        )
        return resolve, f"{host}/inbox?fi=caseId&ss={thread.case}&cc={thread.case}"

    def _footer_lines(self, thread: Thread, shell: Language, sent_at: datetime) -> list[str]:
        resolve, report = self._links(thread, sent_at)
        return [
            f"{shell.resolve}: {resolve}",
            f"{shell.report}: {report}",
            self._survey(thread, "buyer_message"),
            shell.copyright.format(year=sent_at.year),
            f"[commMgrTok:{thread.token}]",
            f"SPC-{self._region.upper()}Amazon-{thread.case}",
        ]

    def _footer_html(self, thread: Thread, shell: Language, sent_at: datetime, kind: str) -> str:
        """Below the frame. A copy of our own reply has no links to act on."""
        resolve, report = self._links(thread, sent_at)
        links = ((resolve, shell.resolve), (report, shell.report)) if kind == "buyer_message" else ()
        return (
            "".join(f'<p><a href="{html.escape(link)}">{html.escape(label)}</a></p>' for link, label in links)
            + f'<p><a href="{html.escape(self._survey(thread, kind))}">Amazon</a></p>'
            + f"<p>{html.escape(shell.copyright.format(year=sent_at.year))}</p><p>[commMgrTok:{thread.token}]</p>"
        )

    def _survey(self, thread: Thread, kind: str) -> str:
        site = thread.buyer.site
        return (
            f"https://www.{site.domain}/gp/satisfaction/survey-form.html?ie=UTF8"
            f"&communicationName={NOTIFICATION_TYPES[kind]}&marketplaceId={site.marketplace_id}"
        )

    def _notice(
        self,
        letter: Letter,
        site: Site,
        subject: str,
        lines: Sequence[tuple[str, str]],
        below: Sequence[str] = (),
        *,
        sender: str | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> Letter:
        text = "\n".join([*(f"{label}: {value}" for label, value in lines), "", *below])
        markup = (
            "<html><body><table>"
            + "".join(
                f"<tr><td><b>{html.escape(label)}:</b></td><td>{html.escape(value)}</td></tr>" for label, value in lines
            )
            + f"</table><p>{'<br>'.join(map(html.escape, below))}</p></body></html>"
        )
        envelope = self._amazon(site, subject, sender, headers)
        return self._write(letter, envelope, _Body(text, markup))

    def _amazon(
        self, site: Site, subject: str, sender: str | None = None, headers: Sequence[tuple[str, str]] = ()
    ) -> _Envelope:
        local = NOTIFICATION_SENDERS.get(site.language, "seller-notification")
        return _Envelope(("Amazon", sender or f"{local}@{site.domain}"), subject, site, headers)

    def _letter(
        self,
        kind: str,
        times: Times,
        site: Site | None,
        *,
        order_id: str | None = None,
        buyer_name: str | None = None,
        buyer_alias: str | None = None,
        words: str = "",
        case_id: str | None = None,
        rating: int | None = None,
        answers: str | None = None,
        is_automatic: bool = False,
        host: str = "",
    ) -> Letter:
        host = host or (SES_HOSTS[self._region] if site else "mail.example")
        return Letter(
            account=self.account,
            kind=kind,
            message_id=f"<0102{self._rng.getrandbits(48):012x}-{self._uuid()}-000000@{host}>",
            sent_at=times.sent_at,
            received_at=times.received_at,
            marketplace=site.country if site else None,
            order_id=order_id,
            buyer_name=buyer_name,
            buyer_alias=buyer_alias,
            words=words,
            case_id=case_id,
            rating=rating,
            answers=answers,
            is_automatic=is_automatic,
        )

    def _write(self, letter: Letter, envelope: _Envelope, body: _Body) -> Letter:
        charset = self._charset(envelope.site, envelope.subject + (body.text or "") + (body.html or ""))
        parts: list[Message] = [
            MIMEText(content, subtype, charset)  # type: ignore[arg-type]
            for subtype, content in (("plain", body.text), ("html", body.html))
            if content is not None
        ]
        message = parts[0] if len(parts) == 1 else self._multipart("alternative", parts)
        if body.photo:
            photo = MIMEImage(PHOTO, "png", name=body.photo)
            photo.add_header("Content-Disposition", "attachment", filename=body.photo)
            message = self._multipart("mixed", [message, photo])
        return self._send(letter, envelope, message, charset)

    def _send(self, letter: Letter, envelope: _Envelope, message: Message, charset: Charset) -> Letter:
        headers = [*self._delivery_headers(letter, envelope), *envelope.headers]
        name, address = envelope.sender
        headers += [
            ("Date", format_datetime(letter.sent_at)),
            ("From", formataddr((name, address), charset)),
            ("To", f"support+{envelope.site.country.lower()}@shop.example"),
            ("Message-ID", letter.message_id),
        ]
        if letter.kind in NOTIFICATION_TYPES and self._rng.random() < 0.88:
            headers.append(("X-Space-Notification-Type", NOTIFICATION_TYPES[letter.kind]))
        if envelope.authentic and not envelope.signed_by and self._rng.random() < 0.9:
            headers.append(("X-Marketplace-ID", envelope.site.marketplace_id))
        for key, value in headers:
            message[key] = value
        subject = Header(envelope.subject, charset, maxlinelen=75, header_name="Subject")
        message["Subject"] = envelope.subject if envelope.subject.isascii() else subject.encode()
        self.written.append((letter, message.as_bytes(policy=AS_SENT)))
        return letter

    def _delivery_headers(self, letter: Letter, envelope: _Envelope) -> list[tuple[str, str]]:
        """What our own server writes above everything else."""
        is_bounce = envelope.signed_by == OUR_SERVER
        is_amazons = envelope.authentic and not envelope.signed_by
        from_domain = envelope.sender[1].rpartition("@")[2]
        domain = envelope.signed_by or from_domain.removeprefix("marketplace.")
        bounces = f"bounces.{domain}" if envelope.authentic else "bulk-sender.example"
        host = SES_HOSTS[self._region] if is_amazons else domain if is_bounce else f"out.{bounces}"
        headers = [
            ("Return-Path", "<>" if is_bounce else f"<{self._rng.getrandbits(64):016x}@{bounces}>"),
            ("Delivered-To", f"{letter.account}@shop.example"),
            (
                "Received",
                f"from {host} (192.0.2.{self._rng.randint(1, 254)}) by {OUR_SERVER} with ESMTPS"
                f" for <{letter.account}@shop.example>; {format_datetime(letter.received_at)}",
            ),
        ]
        if not is_bounce:
            verdict = "pass" if envelope.authentic else "fail"
            proof = [OUR_SERVER, "dkim=pass header.d=amazonses.com"] if is_amazons else [OUR_SERVER]
            proof += [
                f"dkim={verdict} header.d={domain}",
                f"spf={verdict} smtp.mailfrom={bounces}",
                f"dmarc={verdict} header.from={from_domain}",
            ]
            headers.append(("Authentication-Results", "; ".join(proof)))
        return headers

    def _charset(self, site: Site, text: str) -> Charset:
        """Mostly UTF-8, sometimes what the country used before it."""
        older, share = (JAPANESE, 0.35) if site.language == "ja" else (LATIN, 0.15)
        chance = self._rng.random()
        if chance < share and site.language in ("de", "fr", "it", "es", "ja") and _fits(text, older):
            return older
        return UTF8_BASE64 if chance > 0.85 else UTF8

    def _multipart(self, subtype: str, parts: Sequence[Message]) -> Message:
        # The library's own boundaries are random.
        return MIMEMultipart(subtype, f"----=_Part_{self._digits(9)}", parts)

    def _token(self, length: int) -> str:
        return "".join(self._rng.choices(ascii_uppercase + digits, k=length))

    def _digits(self, length: int) -> str:
        return "".join(self._rng.choices(digits, k=length))

    def _uuid(self) -> str:
        return str(UUID(int=self._rng.getrandbits(128), version=4))


def _fits(text: str, charset: Charset) -> bool:
    try:
        text.encode(str(charset))
    except UnicodeEncodeError:
        return False
    return True


def _lines(text: str) -> str:
    return html.escape(text, quote=False).replace("\n", "<br>\n")


def _cells(tag: str, values: Sequence[str]) -> str:
    return "".join(f"<{tag}>{html.escape(value)}</{tag}>" for value in values)


def _price(amount: float, site: Site) -> str:
    """169.01 USD where English is spoken, 119,00 EUR with a no-break space elsewhere."""
    value = money(amount, site)
    figure = value["amount"] if site.language in ("en", "ja") else value["amount"].replace(".", ",")
    return f"{figure}\u00a0{value['currencyCode']}"
