"""Bulk load of Amazon's flat files: tab-separated lines straight into a typed table, with COPY, in bounded memory."""

import codecs
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from operator import itemgetter
from typing import Any, BinaryIO

from psycopg import sql
from sqlalchemy import Connection, text

from amazon_support import charsets
from amazon_support.sources.errors import BadDocument
from amazon_support.warehouse.land.batches import BadLine
from amazon_support.warehouse.steps import run_step

BLOCK = 256 * 1024  # bytes read, checked and written at a time
LONGEST_LINE = 1024 * 1024  # bytes; no report has such a line
# A document is given up when more than half of at least so many lines are bad, and in any case at so many bad lines:
# they are kept in memory.
ENOUGH_TO_JUDGE, MOST_BAD_LINES = 10_000, 100_000
LINE_NUMBER = "line_number"
IN_PLAIN_WORDS = {
    "smallint": "a whole number",
    "integer": "a whole number",
    "bigint": "a whole number",
    "numeric": "a number",
    "double precision": "a number",
    "boolean": "true or false",
    "date": "a date",
    "timestamp without time zone": "a date and time",
    "timestamp with time zone": "a date and time",
}


@dataclass(frozen=True)
class FlatFile:
    """Where the columns of a report go.

    Attributes:
        table: with its schema. It also has a column `line_number integer` and one for each constant. Columns that a
            document may leave empty take null; nothing but its types restricts what a line may hold.
        columns: column of the table by heading, such as "amazon-order-id". Headings are compared without regard to
            case, surrounding spaces, and whether words are joined by "-", "_" or a space.
        required: headings without which a document is useless.
        fewest: known columns of which a document must have so many to be believed.
    """

    table: str
    columns: Mapping[str, str]
    required: frozenset[str]
    fewest: int = 0


@dataclass(frozen=True)
class Copied:
    """What became of a document.

    Attributes:
        rows: how many lines are in the table now.
        bad_lines: the others, in their order; blank lines are no lines.
        unknown_headings: columns of the document that were left out.
        heading: its first line.
    """

    rows: int
    bad_lines: list[BadLine]
    unknown_headings: tuple[str, ...]
    heading: str = field(default="", compare=False)


def copy_flat_file(
    connection: Connection, flat_file: FlatFile, lines: BinaryIO, charset: str, constants: Mapping[str, Any]
) -> Copied:
    """Copies a tab-separated document into its table, in the caller's transaction.

    Quotes are literal, empty fields are null. A line with too few or too many fields, or with a field that its type
    refuses, is left out and told. Bytes that the charset lacks become U+FFFD; NUL is left out. Dates must begin with
    the year: 03/04/2026 is refused, not guessed at (the transaction keeps `datestyle` ISO, YMD).

    Args:
        lines: the document from its heading on; seekable, because bad lines are looked up in a second reading.
        charset: as named by the download, or what is usual for the report; a byte order mark wins.
        constants: values of further columns, the same for each line. Together they tell the document from others, in
            error messages and in the table.

    Raises: BadDocument if it is empty, an error page, lacks required columns, or is mostly bad; nothing of it is left
        in the table then, and the transaction can go on. Whatever reading `lines` raises.
    """
    where = ", ".join(f"{name} {value}" for name, value in constants.items())
    try:
        layout = _layout(flat_file, next(_blocks(lines, charset), b""))
        with connection.begin_nested():
            rows, left_out = _copy(connection, flat_file, layout, _body(lines, charset), constants)
        bad_lines: list[BadLine] = []
        if left_out:
            landed = _landed(connection, flat_file, constants, rows)
            bad_lines += _bad_lines(connection, flat_file, layout, _body(lines, charset), landed)
    except BadDocument as problem:
        raise BadDocument(f"The document for {flat_file.table} ({where}) {problem}.") from None
    return Copied(rows, bad_lines, layout.unknown, layout.heading)


# ---------- reading


def _blocks(document: BinaryIO, charset: str) -> Iterator[bytes]:
    """The document from its beginning as UTF-8, in blocks of whole lines; each line ends with a line feed."""
    document.seek(0)
    chunk = document.read(BLOCK)
    decoder = codecs.getincrementaldecoder(charsets.codec(charset, chunk, "utf-8"))("replace")
    rest = b""
    while chunk:
        rest += decoder.decode(chunk).encode().replace(b"\0", b"")
        end = rest.rfind(b"\n") + 1
        if end:
            yield rest[:end]
            rest = rest[end:]
        if len(rest) > LONGEST_LINE:
            raise BadDocument(f"is no report: it has a line of more than {LONGEST_LINE:,} bytes")
        chunk = document.read(BLOCK)
    rest += decoder.decode(b"", final=True).encode()
    if rest:
        yield rest + b"\n"


def _body(document: BinaryIO, charset: str) -> Iterator[bytes]:
    """The blocks without the heading, which is line 1."""
    blocks = _blocks(document, charset)
    for block in blocks:
        if rest := block.partition(b"\n")[2]:
            yield rest
        break
    yield from blocks


@dataclass(frozen=True)
class _Layout:
    """How a document's lines are built.

    Attributes:
        fields: in each line.
        headings: those known, in their order, by column of the table.
        positions: of the known headings among the fields.
        unknown: headings left out.
        heading: the line of headings.
    """

    fields: int
    headings: dict[str, str]
    positions: tuple[int, ...]
    unknown: tuple[str, ...]
    heading: str


def _layout(flat_file: FlatFile, beginning: bytes) -> _Layout:
    """Raises: BadDocument saying what the document is instead of a report."""
    if not beginning.strip():
        raise BadDocument("is empty")
    first_line = beginning.partition(b"\n")[0].decode().rstrip("\r")
    found = [name.strip() for name in first_line.split("\t")]
    columns = {_plain(heading): column for heading, column in flat_file.columns.items()}
    headings: dict[str, str] = {}
    positions = []
    for position, heading in enumerate(found):
        column = columns.get(_plain(heading))
        if column is not None and column not in headings:
            headings[column] = heading
            positions.append(position)
    missing = sorted(h for h in flat_file.required if flat_file.columns[h] not in headings)
    if missing:
        if beginning.lstrip().startswith((b"<", b"{", b"[")):
            raise BadDocument("is an error page, not a report")
        raise BadDocument(f"lacks the columns {', '.join(missing)}")
    if len(headings) < flat_file.fewest:
        raise BadDocument(f"has only {len(headings)} of its {len(flat_file.columns)} usual columns")
    unknown = tuple(heading for position, heading in enumerate(found) if position not in positions and heading)
    return _Layout(len(found), headings, tuple(positions), unknown, first_line)


def _plain(heading: str) -> str:
    return re.sub(r"[-_\s]+", "-", heading.strip().lower())


# ---------- copying


def _copy(
    connection: Connection,
    flat_file: FlatFile,
    layout: _Layout,
    blocks: Iterator[bytes],
    constants: Mapping[str, Any],
) -> tuple[int, int]:
    """How many rows are in the table now, and how many lines are not."""
    driver: Any = connection.connection.driver_connection
    columns = ", ".join([*constants, LINE_NUMBER, *layout.headings])
    prefix = b"".join(_escaped(value) + b"\t" for value in constants.values())
    lines = diverted = 0
    with driver.cursor() as cursor:
        cursor.execute("set local datestyle to 'ISO, YMD'")
        # Not `log_verbosity verbose`, which names the lines: its notices carry values, and so many of them at once
        # that server and psycopg would wait for each other.
        with cursor.copy(
            f"copy {flat_file.table} ({columns}) from stdin "
            "with (format text, null '', encoding 'utf8', on_error ignore)"
        ) as copy:
            for rows, others in _rows(blocks, layout, prefix):
                copy.write(b"".join(rows))
                lines, diverted = lines + len(rows) + others, diverted + others
                _judge(lines, diverted)
        copied: int = cursor.rowcount
    _judge(lines, lines - copied)
    return copied, lines - copied


def _rows(blocks: Iterator[bytes], layout: _Layout, prefix: bytes) -> Iterator[tuple[list[bytes], int]]:
    """Block by block: its lines as rows in COPY's text format, and how many have the wrong number of fields."""
    pick = itemgetter(*layout.positions) if len(layout.positions) > 1 else lambda fields: [fields[layout.positions[0]]]
    numbers = count(2)  # the heading is line 1
    for block in blocks:
        rows, diverted = [], 0
        # Within a field, COPY knows backslash and carriage return only as escapes.
        escaped = block.replace(b"\\", b"\\\\").replace(b"\r\n", b"\n").replace(b"\r", b"\\r")
        for line, number in zip(escaped[:-1].split(b"\n"), numbers, strict=False):
            fields = line.split(b"\t")
            if len(fields) == layout.fields:
                rows.append(b"%s%d\t%s\n" % (prefix, number, b"\t".join(pick(fields))))
            else:
                diverted += bool(line)
        yield rows, diverted


def _escaped(value: Any) -> bytes:
    plain = "" if value is None else str(value)
    return plain.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r").encode()


def _judge(lines: int, bad: int) -> None:
    if (lines > ENOUGH_TO_JUDGE and bad * 2 > lines) or bad > MOST_BAD_LINES:
        raise BadDocument(f"is not usable: {bad:,} of its first {lines:,} lines are bad")


# ---------- lines that were left out


def _bad_lines(
    connection: Connection, flat_file: FlatFile, layout: _Layout, blocks: Iterator[bytes], landed: list[range]
) -> Iterator[BadLine]:
    """Reads the document again for the lines whose numbers are not in the table."""
    types = _types(connection, flat_file)
    starts = [run.start for run in landed]
    number = 1
    for block in blocks:
        left_out: dict[int, bytes] = {}
        for line in block[:-1].split(b"\n"):
            number += 1
            run = bisect_right(starts, number) - 1
            if (run < 0 or number not in landed[run]) and line not in {b"", b"\r"}:
                left_out[number] = line.removesuffix(b"\r")
        if left_out:
            reasons = _reasons(connection, layout, types, left_out)
            yield from (BadLine(at, reasons[at], line.decode()) for at, line in left_out.items())


def _landed(connection: Connection, flat_file: FlatFile, constants: Mapping[str, Any], rows: int) -> list[range]:
    """Runs of line numbers of the document that are in the table."""
    query = sql.SQL(
        "select min({number}), max({number}) "
        "from (select {number}, {number} - row_number() over (order by {number}) as run from {table} where {ours}) "
        "group by run order by 1"
    ).format(
        number=sql.Identifier(LINE_NUMBER),
        table=sql.SQL(flat_file.table),
        ours=sql.SQL(" and ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in constants),
    )
    driver: Any = connection.connection.driver_connection
    landed = [range(first, last + 1) for first, last in driver.execute(query, list(constants.values()))]
    if sum(map(len, landed)) != rows:
        raise ValueError(f"The constants do not tell the document from others in {flat_file.table}.")
    return landed


def _types(connection: Connection, flat_file: FlatFile) -> dict[str, str]:
    """Type of each column that does not take every text, as PostgreSQL writes it."""
    query = text(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute "
        "where attrelid = cast(:name as regclass) and attnum > 0 and atttypid <> cast('text' as regtype)"
    )
    return {row.attname: row.format_type for row in connection.execute(query, {"name": flat_file.table})}


def _reasons(
    connection: Connection, layout: _Layout, types: Mapping[str, str], lines: Mapping[int, bytes]
) -> dict[int, str]:
    """What is wrong with each line, without its values."""
    reasons = {}
    typed: list[tuple[int, str, str, str]] = []
    for number, line in lines.items():
        fields = line.decode().split("\t")
        if len(fields) != layout.fields:
            reasons[number] = f"{len(fields)} fields instead of {layout.fields}"
            continue
        reasons[number] = "not accepted by the table"
        for position, (column, heading) in zip(layout.positions, layout.headings.items(), strict=True):
            if fields[position] and column in types:
                typed.append((number, heading, types[column], fields[position]))
    names = ("numbers", "headings", "types", "fields")
    parameters = {name: [row[place] for row in typed] for place, name in enumerate(names)}
    for row in run_step(connection, "land/refused_fields.sql", parameters):
        plain = IN_PLAIN_WORDS.get(row.type.partition("(")[0], f"a valid {row.type}")
        reasons[row.number] = f"{row.heading}: not {plain}"
    return reasons
