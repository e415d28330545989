"""Mail: what each one means, and the archive that keeps it as it came."""

from amazon_support.mail.explain import explain, render, unreadable
from amazon_support.mail.facts import Attachment, Kind, MailFacts

__all__ = ["Attachment", "Kind", "MailFacts", "explain", "render", "unreadable"]
