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


class Attachment(BaseModel):
    """A file in the mail. name: safe to show and to save; type: as the mail claims; size: bytes."""

    model_config = ConfigDict(frozen=True)

    name: str
    type: str
    size: int


class MailFacts(BaseModel):
    """What one mail means. Holds personal data: keep it in the pii schema.

    Attributes:
        mail_id: sha256 hex of the Message-ID, or of the whole mail if it has none.
        kind: exactly one of the names in Kind.
        confidence: 0..1, how sure the kind is.
        signals: why, in short machine-readable strings without personal data, such as header:REFUND_ISSUED.
        direction: inbound (a person), outbound (copy of our reply), system (Amazon's own notices, bounces).
        is_automatic: written by a machine in a person's or our name: neither a buyer's message nor an answer.
        account: None here; whoever reads the mailbox knows.
        marketplace: country code such as DE or UK.
        order_ids: in the order of the mail, subject first, each once.
        case_id: Amazon's number of the case or conversation.
        buyer_alias: relay address in lower case, without the part after +.
        sent_at: aware UTC, the mail's Date, never later than its receipt; None if the mail says nothing of time.
        language: ISO 639-1.
        rating: stars, 1 to 5, of a feedback notice.
        in_reply_to: Message-ID of the mail it answers, or of the one that could not be delivered.
        no_response_link: Amazon's signed link, unchanged; personal, and never to be fetched.
        text: what the person wrote; for Amazon's own notices their text.
    """

    model_config = ConfigDict(frozen=True)

    mail_id: str
    kind: Kind
    confidence: float = Field(ge=0, le=1)
    signals: tuple[str, ...] = ()
    direction: Direction
    is_automatic: bool = False
    account: str | None = None
    marketplace: str | None = None
    order_ids: tuple[str, ...] = ()
    case_id: str | None = None
    buyer_name: str | None = None
    buyer_alias: str | None = None
    sent_at: datetime | None = None
    language: str | None = None
    rating: int | None = None
    subject: str = ""
    message_id: str | None = None
    in_reply_to: str | None = None
    no_response_link: str | None = None
    attachments: tuple[Attachment, ...] = ()
    text: str = ""
