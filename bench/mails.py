"""Mails as large as Amazon's: the invented ones with the style sheets, tables and headers that real ones have."""

import email
from email.encoders import encode_base64, encode_quopri
from email.message import Message
from email.policy import compat32

AS_SENT = compat32.clone(linesep="\r\n", max_line_length=998)
STYLE = "".join(
    f".c{n} td, .c{n} a:link {{ font-family: 'Amazon Ember', Arial; font-size: {n + 9}px; color: #0066c0 }}\n"
    for n in range(12)
)
ABOVE = "<tr>" + "".join(
    f"<td style='padding:{n}px 8px;border-collapse:collapse' width='{n}%'>&nbsp;</td>" for n in range(12)
)
BELOW = "".join(
    f"<table role='presentation' class='c{n}' cellpadding='0' cellspacing='0'><tr><td align='left' style='margin:0'>"
    f"<a href='https://www.amazon.de/gp/help/customer/display.html?nodeId=20189047{n}&amp;ref_=pe_386171_{n}'>"
    f"<img src='https://images-eu.ssl-images-amazon.com/images/G/03/cs/te/logo{n}.png' alt='' /></a></td></tr></table>"
    for n in range(6)
)
HEADERS = (
    ("Received", "from mx2.shop.example by mx.shop.example with ESMTPS id 4fAbC; Tue, 10 Mar 2026 12:00:02 +0000"),
    (
        "DKIM-Signature",
        "v=1; a=rsa-sha256; q=dns/txt; c=relaxed/simple; d=amazon.de; t=1773144001;\r\n b=" + "Ab3/" * 86,
    ),
    (
        "DKIM-Signature",
        "v=1; a=rsa-sha256; q=dns/txt; c=relaxed/simple; d=amazonses.com; t=1773144001;\r\n b=" + "Zy9+" * 43,
    ),
    ("X-AMAZON-MAIL-RELAY-TYPE", "notification"),
    ("Bounces-to", "20260310120000abcdef@bounces.amazon.de"),
    ("X-SES-Outgoing", "2026.03.10-54.240.1.2"),
    ("Feedback-ID", "1.eu-west-1.abcdefghijklmnopqrstuvwxyz0123456789:AmazonSES"),
)


def of_real_size(raw: bytes) -> bytes:
    """The same mail, about 6 KB larger; what it means stays."""
    message = email.message_from_bytes(raw, policy=AS_SENT)
    for name, value in HEADERS:
        message[name] = value
    for part in message.walk():
        if part.get_content_type() == "text/html":
            _enlarge(part)
    return message.as_bytes()


def _enlarge(part: Message) -> None:
    charset = part.get_content_charset() or "utf-8"
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    html = payload.decode(charset)
    html = html.replace("<body>", f"<head><style>{STYLE}</style></head><body><table>{ABOVE}</tr></table>", 1)
    part.set_payload(html.replace("</body>", BELOW + "</body>", 1).encode(charset))
    encoding = part["Content-Transfer-Encoding"] or "7bit"
    if encoding in {"base64", "quoted-printable"}:
        del part["Content-Transfer-Encoding"]
        (encode_base64 if encoding == "base64" else encode_quopri)(part)
