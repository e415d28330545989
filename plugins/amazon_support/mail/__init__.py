"""Mail: what each one means, and the archive that keeps it as it came."""

from amazon_support.mail.explain import explain, unreadable
from amazon_support.mail.facts import Attachment, Kind, Link, MailFacts, Product
from amazon_support.mail.show import render

__all__ = ["Attachment", "Kind", "Link", "MailFacts", "Product", "explain", "render", "unreadable"]
