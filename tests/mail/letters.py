"""The corpus: invented mails of every kind and language, with what reading each must find.

corpus/<language>.yaml has a `site` and `mails`; each mail has:

kind        what it is. name: told apart by it.
site        country code, where it is not the file's. language: of what is written, where it is not the file's.
from        before @amazon.<tld> (default donotreply), or a whole address; a buyer's message comes from the alias.
subject     as it is shown.
buyer       name of the buyer who writes.
above, frame, words
            lines above the frame of dashes, its two lines' words (the second may be empty), and what stands in it.
list, table, lines
            of a notice: labels with values, rows of cells (headings first), lines of text below.
as          text, html or both: which parts the mail has.
quoted      the words of the HTML stand in a blockquote. dashes_below: the footer has a line of dashes of its own.
charset     of the text part. claimed_charset: what the mail says instead.
auth        what our server found (default pass).
expect      fields of MailFacts beside kind, site, language and words; products are compared field by field.
"""

import html
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from mail_builders import DASHES, mail

from amazon_support.mail.rules import sites

FOLDER = Path(__file__).parent / "corpus"
ALIAS_LOCAL = "q7w3e5r9t1z2"


@dataclass(frozen=True)
class Letter:
    """One mail of the corpus, and what reading it must find."""

    name: str
    kind: str
    language: str
    site: str
    raw: bytes
    expect: dict[str, Any] = field(default_factory=dict)


def corpus() -> list[Letter]:
    found = []
    for file in sorted(FOLDER.glob("*.yaml")):
        listed = yaml.safe_load(file.read_text("utf-8"))
        language = listed["site"].lower() if len(file.stem) != 2 else file.stem
        found += [_letter({"site": listed["site"], "language": language} | each) for each in listed["mails"]]
    return found


def no_response_link(domain: str) -> str:
    return f"https://sellercentral.{domain}/messaging/no-response-needed?t=TH1&m=MSG1&c=A1SELLER&s=abc123"


def _letter(each: dict[str, Any]) -> Letter:
    domain = sites().by_country[each["site"]].domain
    text, markup = (_framed if "frame" in each else _notice)(each, domain)
    form = each.get("as", "html" if each["kind"] == "reply_copy" else "both")
    raw = mail(
        _sender(each, domain),
        each["subject"],
        text if form != "html" else None,
        markup if form != "text" else None,
        auth=each.get("auth", "pass"),
        charset=each.get("charset", "utf-8"),
    )
    if claimed := each.get("claimed_charset"):
        raw = raw.replace(b'charset="utf-8"', f'charset="{claimed}"'.encode())
    words = {"text": each["words"].strip()} if "words" in each else {}
    buyer = (
        {"buyer_name": each["buyer"], "buyer_alias": f"{ALIAS_LOCAL}@marketplace.{domain}"} if "buyer" in each else {}
    )
    link = {"no_response_link": no_response_link(domain)} if "buyer" in each else {"no_response_link": None}
    expect = {"marketplace": each["site"]} | words | buyer | link | each.get("expect", {})
    return Letter(each["name"], each["kind"], each["language"], each["site"], raw, expect)


def _sender(each: dict[str, Any], domain: str) -> tuple[str, str]:
    if "buyer" in each:
        return f"{each['buyer']} - Amazon Marketplace", f"{ALIAS_LOCAL}@marketplace.{domain}"
    address = each.get("from", "donotreply")
    return "", address if "@" in address else f"{address}@{domain}"


def _framed(each: dict[str, Any], domain: str) -> tuple[str, str]:
    """Text and HTML: a line of dashes, words, a line of dashes; in a buyer's mail they stand in the styled <pre>."""
    begin, end = (f"{DASHES} {words} {DASHES}" if words else DASHES * 3 for words in each["frame"])
    words, above = each["words"].strip(), each.get("above", ())
    link = no_response_link(domain)
    dashes = ["", DASHES * 2, ""] if each.get("dashes_below") else []
    footer = [link, *dashes, "Copyright 2026 Amazon, Inc.", "[commMgrTok:TOKEN]"]
    text = "\n".join([*above, "", begin, "", words, "", end, "", *footer])
    is_buyers = "buyer" in each
    inside = f'<pre style="white-space:pre-wrap">{html.escape(words)}</pre>' if is_buyers else _broken(words)
    inside = f"<blockquote>{_broken(words)}</blockquote>" if each.get("quoted") else inside
    linked = f'<p><a href="{html.escape(link)}">x</a></p>' if is_buyers else ""
    markup = (
        f"<html><body><p>{_broken(chr(10).join(above))}</p><p>{begin}</p>{inside}<p>{end}</p>{linked}"
        "<p>Copyright 2026 Amazon, Inc.</p></body></html>"
    )
    return text, markup


def _notice(each: dict[str, Any], domain: str) -> tuple[str, str]:
    labels, table, lines = each.get("list", {}), each.get("table", []), each.get("lines", [])
    text = "\n".join(
        [*(f"{label}: {value}" for label, value in labels.items()), "", *("\t".join(row) for row in table), *lines]
    )
    rows = [
        "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) + "</tr>"
        for row, tag in zip(table, ["th", *["td"] * len(table)], strict=False)
    ]
    items = "".join(f"<li><b>{label}:</b> {html.escape(value)}</li>\n" for label, value in labels.items())
    markup = (
        f"<html><body><ul>{items}</ul><table>{''.join(rows)}</table><p>{_broken(chr(10).join(lines))}</p></body></html>"
    )
    return text, markup


def _broken(text: str) -> str:
    return html.escape(text).replace("\n", "<br>\n")
