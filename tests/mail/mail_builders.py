"""Builders for mails of invented people, as Amazon, buyers and strangers send them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
ORDER = "302-1234567-1234567"
ALIAS = "k2j4h6g8f1d3@marketplace.amazon.de"
BUYER = ("Mia Muster - Amazon Marketplace", ALIAS)
SUBJECT = f"Anfrage von Amazon-Kunde Mia Muster (Bestellung: {ORDER})"
WORDS = "Guten Tag,\n\nwo ist meine Teekanne?\n\nMia Muster"
LINK = "https://sellercentral.amazon.de/messaging/no-response-needed?t=T1&m=M1&mp=A1PA6795UKMFR9&c=A1SELLER&s=abc123"
REPORT = "https://sellercentral.amazon.de/messaging/inbox?fi=caseId&ss=7001234567&cc=7001234567"
FOOTER = f"""Keine Antwort nötig? {LINK}
Melden: {REPORT}
Copyright 2026 Amazon, Inc. oder Tochtergesellschaften. Alle Rechte vorbehalten.
[commMgrTok:TOKEN]
SPC-EUAmazon-7001234567"""
ABOVE = f"Sie haben eine Nachricht erhalten.\n\n# {ORDER}:\n1 / Teekanne, 1 l [ASIN: B000000001]"
DASHES = "-------------"


def mail(
    sender: str | tuple[str, str] = BUYER,
    subject: str = SUBJECT,
    text: str | None = None,
    html: str | None = None,
    *,
    headers: Iterable[tuple[str, str]] = (),
    auth: str | None = "pass",
    charset: str = "utf-8",
    to: str = "support@shop.example",
    files: Iterable[tuple[str, str, bytes]] = (),
) -> bytes:
    """A mail as our server received it.

    Args:
        auth: what our server found for the sender's domain; None: it wrote no such header.
        files: name, type, content.
    """
    message = EmailMessage(policy=SMTP)
    name, address = sender if isinstance(sender, tuple) else ("", sender)
    domain = address.rpartition("@")[2]
    if auth:
        message["Authentication-Results"] = checked(domain, auth)
    message["Received"] = f"from out.example by mx.shop.example; {format_datetime(NOON)}"
    message["Date"] = format_datetime(NOON)
    message["From"] = formataddr((name, address))
    message["To"] = to
    message["Message-ID"] = "<1@eu-west-1.amazonses.com>"
    message["Subject"] = subject
    for header, value in headers:
        del message[header]
        message[header] = value
    if text is not None or html is None:
        message.set_content(text or "", charset=charset)
    if html is not None and text is None:
        message.set_content(html, subtype="html", charset=charset)
    elif html is not None:
        message.add_alternative(html, subtype="html", charset=charset)
    for filename, media_type, content in files:
        main, _, sub = media_type.partition("/")
        message.add_attachment(content, maintype=main, subtype=sub, filename=filename)
    return message.as_bytes()


def checked(domain: str, result: str, server: str = "mx.shop.example") -> str:
    """Authentication-Results: Amazon's second signature passes in any case."""
    own = domain.removeprefix("marketplace.")
    return (
        f"{server}; dkim=pass header.d=amazonses.com; dkim={result} header.d={own}; "
        f"spf=pass smtp.mailfrom=bounces.example; dmarc={result} header.from={domain}"
    )


def framed(
    words: str = WORDS, begin: str = "Anfang der Nachricht", end: str = "Ende der Nachricht", footer: str = FOOTER
) -> str:
    """The text part of a buyer's message. An empty end: a line of dashes alone."""
    closing = f"{DASHES} {end} {DASHES}" if end else DASHES * 2
    return f"{ABOVE}\n\n{DASHES} {begin} {DASHES}\n\n{words}\n\n{closing}\n\n{footer}\n"


def framed_html(words: str = WORDS, begin: str = "Anfang der Nachricht", end: str = "Ende der Nachricht") -> str:
    """The HTML part: the words in the one styled <pre>."""
    return (
        f"<html><body><p>{ABOVE}</p><p>{DASHES} {begin} {DASHES}</p>"
        f'<pre style="white-space:pre-wrap">{words}</pre><p>{DASHES} {end} {DASHES}</p>'
        f'<p><a href="{LINK.replace("&", "&amp;")}">Keine Antwort nötig</a></p>'
        f'<p><a href="{REPORT.replace("&", "&amp;")}">Melden</a></p>'
        "<p>Copyright 2026 Amazon, Inc.</p></body></html>"
    )


def reply_html(words: str, begin: str = "Ihre Nachricht:", end: str = "Ende der Nachricht", above: str = "") -> str:
    """HTML of a copy of our reply."""
    lines = words.replace("\n", "<br>\n")
    return (
        f"<html><body><p>Dies ist eine Kopie.</p><p>{above}</p><p>{DASHES} {begin} {DASHES}</p><p>{lines}</p>"
        f"<p>{DASHES} {end} {DASHES}</p><p>Copyright 2026 Amazon, Inc.</p></body></html>"
    )


def report(action: str = "failed", body: str = f"Could not be delivered to {ALIAS}.") -> bytes:
    """A delivery report of our own mail server about a reply of ours."""
    return (
        "From: Mail Delivery System <MAILER-DAEMON@mx.shop.example>\r\nTo: support+de@shop.example\r\n"
        "Subject: Mail report\r\nMessage-ID: <report@mx.shop.example>\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        f"--b\r\n\r\n{body}\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.shop.example\r\n\r\n"
        f"Final-Recipient: rfc822; {ALIAS}\r\nAction: {action}\r\nStatus: 5.2.1\r\n\r\n"
        "--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        f"Message-ID: <ours@shop.example>\r\nSubject: Re: {ORDER}\r\n\r\n--b--\r\n"
    ).encode()
