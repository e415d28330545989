"""Mail: what each one means, and the archive that keeps it as it came."""

from amazon_support.mail.explain import explain, unreadable
from amazon_support.mail.facts import Attachment, Kind, Link, MailFacts, Product
from amazon_support.mail.parse import parse
from amazon_support.mail.safe_html import page, safe_html
from amazon_support.mail.show import render

__all__ = [
    "Attachment",
    "Kind",
    "Link",
    "MailFacts",
    "Product",
    "explain",
    "page",
    "parse",
    "render",
    "safe_html",
    "unreadable",
]
