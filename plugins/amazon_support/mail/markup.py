"""HTML of a mail as text, with what matters of its structure: links, quotes, and Amazon's own block of words."""

import re
from dataclasses import dataclass

from lxml import etree  # type: ignore[import-untyped]

LINK = re.compile(r"https?://[^\s<>\"]+")
SPACES = re.compile(r"[ \t\r\n\f]+")
UNSEEN = frozenset({"script", "style", "title", "template", "noframes"})
BLOCKS = frozenset(
    {"div", "tr", "table", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "section", "hr", "header", "footer"}
    | {"center", "dl", "dt", "dd", "form", "article", "tbody", "thead", "body"}
)
QUOTES = re.compile(r"gmail_quote|yahoo_quoted|moz-cite-prefix|protonmail_quote|tutanota_quote")
CELLS = frozenset({"td", "th"})
MOST_TABLES, MOST_ROWS, MOST_CELLS = 50, 200, 20
HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)


Table = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Rendered:
    """A body as text; lines quoted from older mail begin with `> `.

    Attributes:
        links: (offset in text, target), in order.
        blocks: (start, end) in text of each `<pre>` with a style of its own that is not in a quote.
        is_html: marks of quotes are ours, not typed.
        tables: rows of cells, as text, of each table that holds no other table and is not in a quote.
    """

    text: str
    links: tuple[tuple[int, str], ...] = ()
    blocks: tuple[tuple[int, int], ...] = ()
    tables: tuple[Table, ...] = ()
    is_html: bool = False


def render_text(text: str) -> Rendered:
    """A plain-text body, with the links in it."""
    text = _visible(text)
    return Rendered(text, tuple((m.start(), m.group().rstrip(".,;)")) for m in LINK.finditer(text)))


def render_html(html: str) -> Rendered:
    """The text of an HTML body. Nothing is fetched, run or trusted; broken HTML gives what can be read of it."""
    writer = _Writer()
    parser = etree.HTMLParser(target=writer, recover=True, no_network=True, encoding="utf-8", huge_tree=True)
    try:
        parser.feed(html.replace("\0", "").encode("utf-8", "replace"))
        parser.close()
    except (etree.LxmlError, AssertionError, ValueError):  # what was read until then stands
        pass
    return writer.rendered()


def _visible(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u200b", "").replace("\ufeff", "")


@dataclass(slots=True)
class _Element:
    tag: str
    quoted: bool = False
    hidden: bool = False
    block_at: int | None = None  # a <pre> with style: offset of its first character
    pre: bool = False
    cell_at: int | None = None  # a cell of a table: number of the first piece of text in it


class _Writer:
    """Receives the parser's events and writes text as a browser would lay it out, roughly."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._length = 0
        self._breaks = 0
        self._gap = ""
        self._open: list[_Element] = []
        self._quotes = self._hides = self._pres = 0
        self._links: list[tuple[int, str]] = []
        self._blocks: list[tuple[int, int]] = []
        self._tables: list[list[list[str]]] = []
        self._rows: list[list[str]] | None = None  # of the innermost table that is open
        self._in_cell = False

    # ---------- events

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        element = _Element(str(tag))
        style = attributes.get("style", "")
        element.hidden = tag in UNSEEN or bool(style and HIDDEN.search(style))
        element.quoted = tag == "blockquote" or bool(QUOTES.search(attributes.get("class", "")))
        element.pre = tag == "pre"
        self._quotes += element.quoted
        self._hides += element.hidden
        self._pres += element.pre
        self._lay_out(element)
        if tag == "a" and (target := attributes.get("href")):
            self._links.append((self._length, target))
        if element.pre and style and not self._quotes:
            self._flush()
            element.block_at = self._length
        self._open.append(element)
        if not self._quotes:
            self._tabulate(element)

    def _tabulate(self, element: _Element) -> None:
        """A table inside another makes the outer one a matter of layout: only the innermost is kept."""
        if element.tag == "table":
            self._rows, self._in_cell = [], False
        elif self._rows is None or self._in_cell:
            return
        elif element.tag == "tr" and len(self._rows) < MOST_ROWS:
            self._rows.append([])
        elif element.tag in CELLS and self._rows and len(self._rows[-1]) < MOST_CELLS:
            element.cell_at, self._in_cell = len(self._out), True

    def _close_cell(self, element: _Element) -> None:
        if element.tag == "table":
            if self._rows and len(self._tables) < MOST_TABLES:
                self._tables.append(self._rows)
            self._rows = None
        elif self._in_cell and self._rows:
            self._in_cell = False
            self._rows[-1].append("".join(self._out[element.cell_at :]).strip())

    def _lay_out(self, element: _Element) -> None:
        if element.tag == "br":
            self._breaks += 1
        elif element.tag == "p" or element.pre:
            self._breaks = max(self._breaks, 2)
        elif element.tag in BLOCKS or element.quoted:
            self._breaks = max(self._breaks, 1)
        elif element.tag in {"td", "th"}:
            self._gap = self._gap or "\t"

    def end(self, tag: str) -> None:
        while self._open:
            element = self._open.pop()
            self._quotes -= element.quoted
            self._hides -= element.hidden
            self._pres -= element.pre
            if element.block_at is not None:
                self._blocks.append((element.block_at, self._length))
            if element.tag == "table" or element.cell_at is not None:
                self._close_cell(element)
            if element.tag != "br":
                self._lay_out(element)
            if element.tag == tag:
                break

    def data(self, data: str) -> None:
        if self._hides:
            return
        data = _visible(data)
        if self._pres:
            for number, line in enumerate(data.replace("\r\n", "\n").replace("\r", "\n").split("\n")):
                self._breaks += bool(number)
                self._write(line)
        else:
            self._flow(SPACES.sub(" ", data))

    def comment(self, text: str) -> None:
        pass

    def close(self) -> None:
        pass

    # ---------- text

    def _flow(self, text: str) -> None:
        if text.startswith(" "):
            self._gap = self._gap or " "
        self._write(text.strip(" "))
        if text.endswith(" ") and text != " ":
            self._gap = " "

    def _write(self, text: str) -> None:
        if text:
            self._flush()
            self._put(text)

    def _flush(self) -> None:
        """Writes the pending line ends or gap."""
        prefix = "> " if self._quotes else ""
        if not self._length:
            self._put(prefix)
        elif self._breaks:
            self._put(("\n" + prefix.rstrip()) * (min(self._breaks, 3) - 1) + "\n" + prefix)
        else:
            self._put(self._gap)
        self._breaks, self._gap = 0, ""

    def _put(self, text: str) -> None:
        self._out.append(text)
        self._length += len(text)

    def rendered(self) -> Rendered:
        return Rendered(
            "".join(self._out),
            tuple(self._links),
            tuple(self._blocks),
            tuple(tuple(map(tuple, rows)) for rows in self._tables),
            is_html=True,
        )
