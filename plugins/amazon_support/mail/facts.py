"""What one mail means, in the form in which it is landed."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal[
    "buyer_message",
    "reply_copy",
    "order_notice",
    "amazon_information",
    "return_request",
    "refund_notice",
    "cancellation_request",
    "a_to_z_opened",
    "a_to_z_decided",
    "chargeback",
    "feedback_notice",
    "performance_notification",
    "case_update",
    "system_qa",
    "delivery_failure",
    "buyer_opted_out",
    "unknown",
    "imitation",
]
Direction = Literal["inbound", "outbound", "system"]
Decision = Literal["charged", "funded_by_amazon", "in_our_favour"]
CaseStatus = Literal["opened", "answered", "closed", "needs_you"]
Ask = Literal["cancellation"]
PerformanceIssue = Literal[
    "account_deactivation",
    "intellectual_property",
    "product_safety",
    "authenticity",
    "order_performance",
    "verification",
    "listing_removal",
    "policy_warning",
]


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True)


class Attachment(_Facts):
    """A file in the mail. name: safe to show and to save; type: as the mail claims; size: bytes."""

    name: str
    type: str
    size: int


class Product(_Facts):
    """One line of what a mail is about.

    Attributes:
        quantity: pieces that the mail speaks of.
        reason, comment: of this product, in the words of the mail.
        amount: what is paid back for it, such as 169.01; in the currency of the mail.
    """

    asin: str | None = None
    sku: str | None = None
    title: str | None = None
    quantity: int | None = None
    reason: str | None = None
    comment: str | None = None
    amount: str | None = None


class Link(_Facts):
    """A link of Amazon's to Seller Central, unchanged. purpose: a key of `link_purposes` in mail_rules.yaml, or other.

    It can be signed: personal, and never to be fetched.
    """

    purpose: str
    url: str


class MailFacts(_Facts):
    """What one mail means. Holds personal data: keep it in the pii schema.

    Attributes:
        mail_id: sha256 hex of thread and message as the signed link names them, so that copies of one message are one
            mail; else of the Message-ID; of the whole mail if it has none, and of an imitation.
        kind: exactly one of the names in Kind.
        confidence: 0..1, how sure the kind is.
        signals: why, in short machine-readable strings without personal data, such as header:REFUND_ISSUED.
        direction: inbound (a person), outbound (copy of our reply), system (Amazon's own notices, bounces).
        is_automatic: written by a machine in a person's or our name: neither a buyer's message nor an answer.
        account: None here; whoever reads the mailbox knows.
        sender: of mail of unknown kind, the address in From, lower case.
        marketplace: country code such as DE or UK.
        order_ids: in the order of the mail, subject first, each once.
        case_id: Amazon's number of the case or conversation.
        buyer_alias: relay address in lower case, without the part after +.
        sent_at: aware UTC, the mail's Date, never later than its receipt; None if the mail says nothing of time.
        language: ISO 639-1.
        products: what the order line, the item table or the labels of the mail name; nothing of an imitation's.
        amount: decimal without sign, such as 169.01, in `currency` (ISO 4217): what a notice says is, or would be,
            paid back. Several refunds in one mail are added up; a signal says so.
        reason, comment: of a return, refund, cancellation, feedback or customer service's inquiry, in the words of
            the mail; None where its products have different ones.
        deadline: aware UTC, until when an answer is wanted; a date without a time of day is its end at the site, a
            span such as `within 3 days` counts from sent_at. The signals say which it was.
        appeal_until: aware UTC, until when a decision can be appealed.
        decision: who pays for an A-to-z claim or a chargeback that was decided.
        case_status: of a Seller Support case. performance_issue: what a performance notification is about.
        asks: what a buyer asks for in a message of their own. Amazon counts an order that we cancel upon such a message
            against us; one cancelled upon its own cancellation_request it does not.
        tracking, carrier: of a return label.
        rating: stars, 1 to 5, of a feedback notice.
        in_reply_to: Message-ID of the mail it answers, or of the one that could not be delivered.
        thread_key, message_key: Amazon's names of the conversation and of the message, from the signed link. Copies
            of one message have the same message_key though their Message-IDs differ.
        links: to Seller Central, which Amazon wrote: below the frame of a buyer's message, or in its own notices.
        no_response_link: the one of them that marks a message as needing no answer.
        delivered_to_tags: plus-tags of our own addresses (support+TAG@), lower case, each once.
        text: what the person wrote; for Amazon's own notices their text.
    """

    mail_id: str
    kind: Kind
    confidence: float = Field(ge=0, le=1)
    signals: tuple[str, ...] = ()
    direction: Direction
    is_automatic: bool = False
    sender: str | None = None
    account: str | None = None
    marketplace: str | None = None
    order_ids: tuple[str, ...] = ()
    case_id: str | None = None
    buyer_name: str | None = None
    buyer_alias: str | None = None
    sent_at: datetime | None = None
    language: str | None = None
    products: tuple[Product, ...] = ()
    amount: str | None = None
    currency: str | None = None
    reason: str | None = None
    comment: str | None = None
    deadline: datetime | None = None
    appeal_until: datetime | None = None
    decision: Decision | None = None
    case_status: CaseStatus | None = None
    performance_issue: PerformanceIssue | None = None
    asks: Ask | None = None
    tracking: str | None = None
    carrier: str | None = None
    rating: int | None = None
    subject: str = ""
    message_id: str | None = None
    in_reply_to: str | None = None
    thread_key: str | None = None
    message_key: str | None = None
    links: tuple[Link, ...] = ()
    no_response_link: str | None = None
    delivered_to_tags: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    text: str = ""
