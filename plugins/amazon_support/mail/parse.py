"""Bytes of a mail into headers, text, HTML and attachments, whatever the bytes: what cannot be read is left out."""

import email.utils
import re
import unicodedata
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from email.utils import getaddresses, parsedate_to_datetime
from functools import cached_property
from typing import Any

from amazon_support.mail.facts import Attachment
from amazon_support.mail.markup import Rendered, render_html, render_text

# Newer Pythons (and Debian's) give up a whole header that is not quite right; its addresses tell who poses as whom.
LENIENT = {"strict": False} if hasattr(email.utils, "supports_strict_parsing") else {}
MOST_PARTS = 1000
LONGEST_BODY = 400_000  # characters; no person writes more
LONGEST_HEADER = 20_000
LONGEST_NAME = 120
REPORT_PARTS = ("message/delivery-status", "text/rfc822-headers", "message/rfc822", "message/global-headers")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/=]+")
FOLD = re.compile(r"[\r\n]+[ \t]*")
MEDIA_TYPE = re.compile(r"^[\w.+-]{1,60}/[\w.+-]{1,80}$", re.ASCII)
KANA = re.compile(r"[\u3041-\u30ff]")
# Python knows codecs that are no character sets of mail.
CODECS = re.compile(r"^(iso|windows|cp\d|koi8|utf|big5|euc|gb|hz|johab|mac|tis|latin)")
# Codecs that hold more than the name says, as mail programs write them.
WIDER = {"iso-8859-1": "cp1252", "latin-1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252", "shift_jis": "cp932"}
WIDER |= {"shift-jis": "cp932", "x-sjis": "cp932", "gb2312": "gb18030", "gbk": "gb18030", "iso-2022-jp": "iso2022_jp_3"}
WIDER |= {"ks_c_5601-1987": "cp949", "euc-kr": "cp949", "windows-31j": "cp932"}


@dataclass(frozen=True)
class Address:
    name: str
    address: str

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]

    @property
    def local(self) -> str:
        return self.address.rpartition("@")[0]


@dataclass(frozen=True)
class ParsedMail:
    """What the bytes hold.

    Attributes:
        headers: (lower-case name, unfolded value, words not decoded), topmost first.
        text, html: the bodies that are not attachments; empty if there is none.
        content_type: of the whole mail, such as multipart/report; report_type its parameter.
        returned: of a delivery report: what it says to machines, and the headers of the mail it is about.
    """

    headers: tuple[tuple[str, str], ...]
    text: str = ""
    html: str = ""
    attachments: tuple[Attachment, ...] = ()
    content_type: str = "text/plain"
    report_type: str = ""
    returned: str = ""

    @cached_property
    def bodies(self) -> tuple[Rendered, ...]:
        """The bodies that say anything, as text: HTML first."""
        html = render_html(self.html) if self.html.strip() else Rendered("")
        text = render_text(self.text)
        return tuple(body for body in (html, text) if body.text.strip())

    @property
    def body(self) -> str:
        """All that the mail says, from its text part if it has one."""
        return self.bodies[-1].text.strip() if self.bodies else ""

    def all(self, name: str) -> list[str]:
        """Every value of that header, topmost first, decoded."""
        return list(self._by_name.get(name, ()))

    def header(self, name: str) -> str:
        """The topmost value of that header, decoded; empty if there is none."""
        return self._by_name.get(name, [""])[0]

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, value in self.headers:
            found.setdefault(name, []).append(decode_words(value))
        return found

    def addresses(self, *names: str) -> list[Address]:
        return [address for each, value in self.headers if each in names for address in parse_addresses(value)]


def parse(raw: bytes) -> ParsedMail:
    """Never raises: a mail that is no mail has no headers, and its bytes as text."""
    try:
        message: Message = BytesParser(policy=compat32).parsebytes(raw)
    except Exception:  # such as parts nested deeper than Python can go
        message = BytesParser(policy=compat32).parsebytes(raw, headersonly=True)
    bodies = _Bodies(is_report=_media_type(message) == "multipart/report")
    for part in _parts(message):
        bodies.take(part)
    return ParsedMail(
        headers=tuple((name.lower(), _unfolded(value)) for name, value in message.raw_items()),  # type: ignore[attr-defined]
        text="\n".join(bodies.text)[:LONGEST_BODY],
        html="\n".join(bodies.html)[:LONGEST_BODY],
        attachments=tuple(bodies.attachments),
        content_type=_media_type(message),
        report_type=_parameter(message, "report-type"),
        returned="\n".join(bodies.returned)[:LONGEST_BODY],
    )


def clean(text: str) -> str:
    """Text that can be stored and shown: no control characters but tab and line end, lines ended by \\n."""
    return CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def decode(data: bytes, charset: str) -> str:
    """Bytes as text. The charset named is one piece of evidence: bytes that are valid UTF-8 are UTF-8."""
    if not data.isascii():
        try:
            return clean(data.decode("utf-8"))
        except UnicodeDecodeError:
            return clean(_not_utf8(data, charset.lower()))
    if b"\x1b$" in data or b"\x1b(" in data:
        return clean(data.decode("iso2022_jp_3", "replace"))
    return clean(data.decode(_ascii_codec(charset), "replace"))


def _ascii_codec(charset: str) -> str:
    """UTF-7 and the like are ASCII to look at."""
    return charset if charset.lower() in {"utf-7", "unicode-1-1-utf-7", "hz-gb-2312"} else "ascii"


def _not_utf8(data: bytes, charset: str) -> str:
    named = WIDER.get(charset, charset)
    if CODECS.match(named) and named != "cp1252":
        try:
            return data.decode(named, "strict" if named.startswith("utf") else "replace")
        except (LookupError, ValueError):
            named = ""
    for guess in ("cp932", "euc_jp") if not named or named.startswith("utf") else ():
        try:
            text = data.decode(guess)
        except UnicodeDecodeError:
            continue
        if KANA.search(text):
            return text
    return data.decode("cp1252", "replace")


# ---------- headers


def _unfolded(value: object) -> str:
    text = FOLD.sub(" ", str(value)[:LONGEST_HEADER])
    if not text.isascii():  # 8-bit bytes stand as surrogates
        text = decode(text.encode("utf-8", "surrogateescape"), "")
    return clean(text).strip()


def decode_words(value: str) -> str:
    """A header's value with its encoded words (RFC 2047) decoded."""
    if "=?" not in value:
        return value
    try:
        pieces = decode_header(value)
    except (HeaderParseError, ValueError, LookupError):
        return value
    return clean("".join(_piece(data, charset) for data, charset in pieces)).replace("\n", " ").strip()


def _piece(data: str | bytes, charset: str | None) -> str:
    if isinstance(data, str):
        return data
    return decode(data, charset) if charset else data.decode("raw-unicode-escape", "replace")


def parse_addresses(value: str) -> list[Address]:
    """The addresses in a header's value. The address is read before words are decoded: a name cannot pose as one."""
    single = re.fullmatch(r"([^<>]*)<([^<>]*)>", value)
    if single and value.count("@") == single[2].count("@") == 1:
        return [_address(single[1], single[2])]
    try:
        return [
            _address(name, address)
            for name, address in getaddresses([value[:LONGEST_HEADER]], **LENIENT)
            if name or address
        ]
    except Exception:  # malformed in a way that the standard library does not expect
        return []


def _address(name: str, address: str) -> Address:
    name = decode_words(re.sub(r"\\(.)", r"\1", name.strip().strip('"')))
    return Address(safe_line(name), "".join(address.split()).lower().rstrip("."))


def safe_line(text: str, longest: int = 200) -> str:
    """One line without invisible characters that could pose as something else (bidirectional marks and the like)."""
    visible = "".join(c for c in text if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co"} or c == " ")
    return " ".join(visible.split())[:longest]


def parse_date(value: str) -> datetime | None:
    """A Date as aware UTC; None if it is none, or lies before Amazon was."""
    try:
        moment = parsedate_to_datetime(value)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return moment if moment.year >= 1995 else None


# ---------- parts


def _parts(message: Message) -> Iterator[Message]:
    """The parts that hold something, in order; mail inside mail is one part."""
    waiting, seen = [message], 0
    while waiting and seen < MOST_PARTS:
        part = waiting.pop()
        seen += 1
        payload: Any = part.get_payload() if part.is_multipart() else None
        if isinstance(payload, list) and _media_type(part).partition("/")[0] != "message":
            waiting += reversed(payload)
        else:
            yield part


class _Bodies:
    def __init__(self, is_report: bool) -> None:
        self.is_report = is_report
        self.text: list[str] = []
        self.html: list[str] = []
        self.returned: list[str] = []
        self.attachments: list[Attachment] = []

    def take(self, part: Message) -> None:
        kind = _media_type(part)
        if kind.startswith("multipart/"):  # its boundary is missing
            kind = "text/plain"
        if self.is_report and kind in REPORT_PARTS:
            self.returned.append(_returned(part))
        elif not _is_file(part, kind):
            (self.html if kind == "text/html" else self.text).append(decode(_content(part), _charset(part)))
        else:
            name = safe_name(_filename(part)) or f"attachment-{len(self.attachments) + 1}"
            self.attachments.append(Attachment(name=name, type=kind, size=len(_content(part))))


def _is_file(part: Message, kind: str) -> bool:
    disposition = str(part.get("content-disposition", "")).strip().lower()
    return kind not in {"text/plain", "text/html"} or disposition.startswith("attachment") or bool(_filename(part))


def _media_type(part: Message) -> str:
    kind = part.get_content_type().lower()
    return kind if MEDIA_TYPE.match(kind) else "application/octet-stream"


def _parameter(part: Message, name: str) -> str:
    try:
        return str(part.get_param(name) or "").lower()
    except Exception:
        return ""


def _charset(part: Message) -> str:
    try:
        return (part.get_content_charset() or "").strip("\"' ")
    except Exception:
        return ""


def _filename(part: Message) -> str:
    try:
        return _unfolded(decode_words(_unfolded(part.get_filename() or "")))
    except Exception:
        return "unreadable name"


def _content(part: Message) -> bytes:
    """The part's bytes, decoded from base64 or the like; what cannot be decoded as it is."""
    try:
        if part.is_multipart():
            return "\n".join(str(each) for each in part.get_payload()).encode("utf-8", "replace")
        if str(part.get("content-transfer-encoding", "")).strip().lower() == "base64":
            return _from_base64(part.get_payload())
        data = part.get_payload(decode=True)
        return data if isinstance(data, bytes) else b""
    except Exception:
        return b""


def _from_base64(text: Any) -> bytes:
    """As much as can be read: the end may be cut off, anything may stand between, and = may end a piece, not all."""
    return b"".join(map(_piece_of_base64, re.split("=+", NOT_BASE64.sub("", str(text)))))


def _piece_of_base64(letters: str) -> bytes:
    whole = letters if len(letters) % 4 != 1 else letters[:-1]
    return b64decode(whole + "=" * (-len(whole) % 4))


def _returned(part: Message) -> str:
    """What a part of a delivery report says: fields of the report, or headers of the returned mail."""
    payload: Any = part.get_payload() if part.is_multipart() else None
    blocks = payload if isinstance(payload, list) else []
    fields = [f"{name}: {_unfolded(value)}" for block in blocks for name, value in block.raw_items()]
    return "\n".join(fields) if fields else decode(_content(part), _charset(part))


def safe_name(name: str) -> str:
    """A file name that can be shown and saved: no path, no invisible characters, no leading dots."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    kept = re.sub(r'[<>:"|?*]', "_", safe_line(last, 1000))
    kept = re.sub(r"\.{2,}", ".", kept).strip(". ")
    stem, dot, extension = kept.rpartition(".")
    if len(kept) > LONGEST_NAME and dot:
        return stem[: LONGEST_NAME - 20] + dot + extension[:19]
    return kept[:LONGEST_NAME]
