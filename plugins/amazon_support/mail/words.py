"""Finds what a person wrote: inside Amazon's frame, without quotes of older mail, footers and signed links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from amazon_support.mail.markup import LINK, Rendered
from amazon_support.mail.parse import ParsedMail
from amazon_support.mail.phrases import DASH, key
from amazon_support.mail.rules import rules

How = Literal["block", "words", "shape", "quoted", "none"]

SIGNED = "no-response-needed"
REDACTED = "[link]"
# A line of dashes, with or without unknown words between two runs of them.
MARK = re.compile(rf"(?<![{DASH}])[{DASH}]{{5,}}+(?:[ \t]*+[^\n{DASH}](?:[^\n{DASH}]|-(?!-)){{0,60}}[{DASH}]{{5,}}+)?")
OWN_LINKS = re.compile(r"/messaging/no-response-needed|/gp/communication-manager/no-response-needed")
QUOTED = re.compile(r"^[ \t]*>[ \t]?", re.MULTILINE)
ITEM = re.compile(r"\bASIN\b|\b[0-9]{3}-[0-9]{7}-[0-9]{7}\b")


@dataclass(frozen=True)
class Frame:
    """Offsets of the frame's two lines; language of its words."""

    start: int
    inside: int
    inside_end: int
    end: int
    how: How
    language: str | None = None


@dataclass(frozen=True)
class Reading:
    """A body, read as one that may hold a person's words.

    Attributes:
        words: what the person wrote.
        how: block (Amazon's own HTML element), words (of a known frame), shape (dashes), quoted (the frame is in a
            quote: the person wrote above it), none (no frame).
        above: text before the words. below: text after the frame; only Amazon writes there.
        links: below the frame, in order.
    """

    words: str
    how: How
    above: str = ""
    below: str = ""
    links: tuple[str, ...] = ()
    language: str | None = None


def read_words(mail: ParsedMail) -> Reading:
    """The words of a mail from a buyer or of a copy of our reply; never empty if the person wrote anything."""
    readings = [read_body(body) for body in mail.bodies]
    block = next((each for each in readings if each.how == "block"), None)
    if block:
        return block
    framed = [each for each in reversed(readings) if each.how in {"words", "shape"}]
    if framed:
        # Only one of the two parts may have the links.
        return replace(framed[0], links=tuple(link for each in framed for link in each.links))
    best = max(reversed(readings), key=lambda each: (bool(each.words), each.how == "quoted"), default=None)
    return best or Reading("", "none")


def read_body(body: Rendered) -> Reading:
    """One body, whichever form it came in."""
    text = body.text
    quote_at = _quote_at(text)
    frame = _block(body, quote_at) or find_frame(text, quote_at)
    if frame is None:
        return Reading(_unframed(text), "none", below="", above=text)
    if frame.start >= quote_at:
        return Reading(_unframed(text), "quoted", language=frame.language, above=text)
    inside = text[frame.inside : frame.inside_end]
    if body.is_html and frame.how != "block":
        inside = _unmarked(inside)
    words = inside.strip("\n") if frame.how == "block" else inside.strip()
    if frame.how == "shape" and (footer := _footer_at(words)):
        words = words[:footer].strip()
    return Reading(
        words=_without_signed(_without_quotes(words)),
        how=frame.how,
        above=text[: frame.start],
        below=text[frame.end :],
        links=tuple(target for offset, target in body.links if offset >= frame.end),
        language=frame.language,
    )


# ---------- the frame


def _block(body: Rendered, quote_at: int) -> Frame | None:
    """The one `<pre>` with a style in which Amazon puts a buyer's words, whatever the language."""
    if len(body.blocks) != 1 or body.blocks[0][0] >= quote_at or not body.text[slice(*body.blocks[0])].strip():
        return None
    start, end = body.blocks[0]
    marks = [m for m in rules().frame_mark.finditer(body.text) if m.end() <= start or m.start() >= end]
    # Below the block the closing line is the first thing that can be a mark.
    closing = next((m.end() for m in MARK.finditer(body.text, end) if not body.text[end : m.start()].strip()), end)
    return Frame(start, start, end, closing, "block", _language(*(_mark_words(mark) for mark in marks)))


def find_frame(text: str, quote_at: int) -> Frame | None:
    """The frame of dashes, or one in a quote (it starts at `quote_at` or behind it)."""
    known = list(rules().frame_mark.finditer(text))
    begin = next((mark for mark in known if mark["begin"]), None)
    if begin is None:
        return _by_shape(text, quote_at, known)
    # The last one: people quote older frames, and paste what looks like the end of one.
    ends = [mark for mark in known if mark["end"] and mark.start() >= begin.end()]
    end = next((mark for mark in reversed(ends) if not _is_quoted(text, mark)), ends[-1] if ends else None)
    if end:
        language = _language(_mark_words(begin), _mark_words(end))
        return Frame(begin.start(), begin.end(), end.start(), end.end(), "words", language)
    language = _language(_mark_words(begin))
    if closing := _closing([mark for mark in MARK.finditer(text, begin.end()) if not _is_quoted(text, mark)], text):
        return Frame(begin.start(), begin.end(), closing.start(), closing.end(), "words", language)
    footer = _footer_at(text[begin.end() :])
    end_at = len(text) if footer is None else begin.end() + footer
    return Frame(begin.start(), begin.end(), end_at, len(text), "words", language)


def _by_shape(text: str, quote_at: int, known: list[re.Match[str]]) -> Frame | None:
    """A frame whose words are not known: the first and the last line of dashes, where Amazon's shell is around it."""
    marks = [mark for mark in MARK.finditer(text) if not _is_quoted(text, mark)]
    if len(marks) < 2 or marks[0].start() >= quote_at:
        return None
    first, last = marks[0], _closing(marks[1:], text) or marks[-1]
    is_amazons = known or ITEM.search(text, 0, first.start()) or _footer_at(text[last.end() :])
    if not is_amazons:
        return None
    return Frame(
        first.start(), first.end(), last.start(), last.end(), "shape", _language(*(_mark_words(mark) for mark in known))
    )


def _closing(marks: list[re.Match[str]], text: str) -> re.Match[str] | None:
    """Of the lines of dashes behind the opening, the last before Amazon's own links (its footer has such a line, too);
    its links are the last ones, whatever a buyer pastes."""
    links = [match.start() for match in OWN_LINKS.finditer(text)]
    before = [mark for mark in marks if not links or mark.start() < links[-1]]
    return next(reversed(before or marks), None)


def _mark_words(mark: re.Match[str]) -> str:
    return key(mark["begin"] or mark["end"])


def _language(*marks: str) -> str | None:
    """The one language that has all these words."""
    found = [rules().frame_languages.get(words, frozenset()) for words in marks]
    common = frozenset.intersection(*found) if found else frozenset()
    return next(iter(common)) if len(common) == 1 else None


def _is_quoted(text: str, mark: re.Match[str]) -> bool:
    line = text.rfind("\n", 0, mark.start()) + 1
    return text[line : mark.start()].lstrip().startswith(">")


# ---------- quotes and footers


def _quote_at(text: str) -> int:
    """Where quoted older mail begins; the text's length if nowhere."""
    found = [match.start() for match in _cuts(text)]
    if quoted := re.search(r"^[ \t]*>", text, re.MULTILINE):
        found.append(quoted.start())
    return min(found, default=len(text))


def _cuts(text: str) -> Iterator[re.Match[str]]:
    for cut in (rules().original, rules().headers_above, rules().quote_line):
        if match := cut.search(text):
            yield match


def _unframed(text: str) -> str:
    """Words that stand without a frame: no quotes, nothing from the footer on."""
    words = _without_quotes(text)
    if footer := _footer_at(words):
        words = words[:footer].strip() or words
    return _without_signed(words)


def _unmarked(text: str) -> str:
    """Words that are quoted as a whole, without the marks: Amazon puts our own into a `<blockquote>`."""
    lines = [line for line in text.split("\n") if line.strip()]
    return QUOTED.sub("", text) if lines and all(line.lstrip().startswith(">") for line in lines) else text


def _without_quotes(text: str) -> str:
    """Text without quoted older mail; all of it where nothing else is left."""
    kept = text
    for cut in (rules().original, rules().headers_above):
        if match := cut.search(kept):
            kept = kept[: match.start()]
    lines = kept.split("\n")
    if any(line.lstrip().startswith(">") for line in lines):
        kept = "\n".join(_unquoted(lines))
    if match := rules().quote_line.search(kept):
        kept = kept[: match.start()]
    return kept.strip() or text.strip()


def _unquoted(lines: list[str]) -> list[str]:
    """The lines without those that begin with >, and without the line that announces them."""
    kept: list[str] = []
    was_quoted = False
    for line in lines:
        is_quoted = line.lstrip().startswith(">")
        if is_quoted and not was_quoted:
            _drop_announcement(kept)
        if not is_quoted:
            kept.append(line)
        was_quoted = is_quoted
    return kept


def _drop_announcement(kept: list[str]) -> None:
    """Takes `On ... wrote:` off the end, in any language: it ends with a colon and holds a date."""
    while kept and not kept[-1].strip():
        kept.pop()
    for count in (1, 2):
        announcement = " ".join(kept[-count:]).rstrip()
        if len(kept) >= count and announcement.endswith((":", "：")) and re.search(r"\d", announcement):
            del kept[-count:]
            return


def _footer_at(text: str) -> int | None:
    """Where Amazon's footer begins: the line of its first mark, or the mark where all is one line."""
    match = rules().footer_mark.search(text)
    if match is None:
        return None
    line = text.rfind("\n", 0, match.start()) + 1
    if text[:line].strip():
        return line
    in_link = text.rfind("http", line, match.start())
    return in_link if in_link >= 0 and not re.search(r"\s", text[in_link : match.start()]) else match.start()


def _without_signed(text: str) -> str:
    return LINK.sub(lambda link: REDACTED if SIGNED in link.group() else link.group(), text)


# ---------- customer service


def customer_service_words(mail: ParsedMail) -> str | None:
    """What the buyer told Amazon's customer service; None if the mail has no such part."""
    text = mail.body
    label = rules().details_label.search(text)
    if not label:
        return None
    below = rules().below_details.search(text, label.end())
    words = text[label.end() : below.start() if below else len(text)]
    return _unframed(words) or None
