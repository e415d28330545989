"""A flat file goes into a typed table whole, but for the lines that cannot; those are told with number and reason."""

import gzip
import io
from pathlib import Path
from typing import Any

import pytest
from landing import rows
from sqlalchemy import Connection

from amazon_support.sources.errors import BadDocument, Unavailable
from amazon_support.sources.reports import Document
from amazon_support.warehouse.land import bulk
from amazon_support.warehouse.land.bulk import Copied, FlatFile, copy_flat_file

ORDERS = FlatFile(
    table="raw.flat",
    columns={
        "order-id": "order_id",
        "quantity": "quantity",
        "item-price": "price",
        "purchase-date": "bought_at",
        "is-gift": "is_gift",
        "product-name": "title",
    },
    required=frozenset({"order-id", "quantity"}),
)
HEADING = "order-id\tquantity\titem-price\tpurchase-date\tis-gift\tproduct-name"
CONSTANTS = {"batch_id": 7, "account": "main"}


@pytest.fixture(autouse=True)
def table(connection: Connection) -> None:
    connection.exec_driver_sql(
        "create table raw.flat (batch_id bigint not null, account text not null, line_number integer not null, "
        "order_id text, quantity integer, price numeric(12, 2), bought_at timestamptz, is_gift boolean, title text)"
    )


def line(order_id: str = "302-1", quantity: str = "2", price: str = "9.90", day: str = "2026-03-10", title: str = "Cup",
         gift: str = "false") -> str:  # fmt: skip
    return "\t".join([order_id, quantity, price, f"{day}T10:00:00+00:00", gift, title])


def copy(connection: Connection, content: str | bytes | list[str], charset: str = "UTF-8", **changes: Any) -> Copied:
    if isinstance(content, list):
        content = "".join(f"{one}\r\n" for one in [HEADING, *content])
    raw = content.encode() if isinstance(content, str) else content
    return copy_flat_file(connection, ORDERS, io.BytesIO(raw), charset, CONSTANTS | changes)


def landed(connection: Connection, columns: str = "line_number, order_id") -> list[tuple[Any, ...]]:
    return rows(connection, f"select {columns} from raw.flat order by line_number")


def bad(copied: Copied) -> list[tuple[int, str]]:
    return [(one.number, one.reason) for one in copied.bad_lines]


# ---------- what is good


def test_lines_become_typed_rows_with_their_constants_and_numbers(connection: Connection) -> None:
    copied = copy(connection, [line("302-1"), line("302-2", quantity="", price="")])
    assert copied == Copied(2, [], ())
    assert landed(connection, "batch_id, account, line_number, order_id, quantity, price::text, bought_at::text") == [
        (7, "main", 2, "302-1", 2, "9.90", "2026-03-10 10:00:00+00"),
        (7, "main", 3, "302-2", None, None, "2026-03-10 10:00:00+00"),
    ]


@pytest.mark.parametrize(
    "title",
    ['5" "Teapot"', r"back\slash", r"\N", r"\.", r"ends in \ ".strip(), "  spaces  ", "half\rline", "'; drop table x"],
)
def test_what_has_a_meaning_for_copy_is_literal_in_a_report(connection: Connection, title: str) -> None:
    assert copy(connection, [line(title=title), line("302-2")]).rows == 2
    assert landed(connection, "title") == [(title,), ("Cup",)]


def test_constants_are_literal_too(connection: Connection) -> None:
    copy(connection, [line()], account="tab\tslash\\ 100%")
    assert landed(connection, "account") == [("tab\tslash\\ 100%",)]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_line_endings_and_blank_lines_do_not_matter(connection: Connection, ending: str) -> None:
    content = ending.join([HEADING, line("302-1"), "", line("302-2"), "", line("302-3")])
    assert copy(connection, content) == Copied(3, [], ())
    assert landed(connection) == [(2, "302-1"), (4, "302-2"), (6, "302-3")]


def test_a_heading_alone_is_a_document_without_rows(connection: Connection) -> None:
    for content in (HEADING, HEADING + "\r\n"):
        assert copy(connection, content) == Copied(0, [], ())


def test_a_document_of_many_blocks_arrives_whole_and_in_order(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BLOCK", 100)  # bytes: lines and characters are cut at every place
    expected = [line(f"302-{n}", title="Kännchen 茶碗 " * (n % 7)) for n in range(200)]
    assert copy(connection, expected).rows == 200
    assert landed(connection) == [(n + 2, f"302-{n}") for n in range(200)]
    assert {title for (title,) in landed(connection, "title") if title} <= {"Kännchen 茶碗 " * n for n in range(7)}


# ---------- encodings


@pytest.mark.parametrize(
    ("charset", "codec", "title"),
    [
        ("UTF-8", "utf-8", "Kännchen – 茶碗"),
        ("Cp1252", "cp1252", "Kännchen für 5 €"),
        ("ISO-8859-1", "cp1252", "Kännchen für 5 €"),
        ("windows-31j", "cp932", "茶碗①〜髙級 表"),
        ("Shift_JIS", "cp932", "茶碗①髙級 表"),
        ("UTF-16", "utf-16", "Kännchen 茶碗"),
        ("Cp1252", "utf-8-sig", "Kännchen – 茶碗"),
        ("windows-31j", "utf-16", "Kännchen"),
        ("no-such-charset", "utf-8", "Kännchen"),
        ("hex", "utf-8", "Kännchen"),
    ],
)
def test_text_is_read_in_its_charset_and_a_byte_order_mark_wins(
    connection: Connection, charset: str, codec: str, title: str
) -> None:
    title = title.encode(codec, errors="replace").decode(codec)
    copied = copy(connection, f"{HEADING}\r\n{line(title=title)}\r\n".encode(codec), charset)
    assert (copied.rows, landed(connection, "title")) == (1, [(title,)])


def test_a_second_byte_that_looks_like_a_backslash_is_none(connection: Connection) -> None:
    assert "表".encode("cp932")[1:] == b"\\"
    copy(connection, f"{HEADING}\n{line(title='表')}\n".encode("cp932"), "Shift_JIS")
    assert landed(connection, "title") == [("表",)]


def test_bytes_that_the_charset_lacks_are_replaced_and_nul_is_left_out(connection: Connection) -> None:
    content = f"{HEADING}\n{line(title='a?b')}\n".encode().replace(b"a?b", b"a\xff\0b")
    assert copy(connection, content).rows == 1
    assert landed(connection, "title") == [("a\ufffdb",)]


# ---------- headings


@pytest.mark.parametrize(
    "heading",
    [HEADING.upper(), HEADING.replace("-", "_"), HEADING.replace("-", " "), HEADING.replace("\t", " \t ")],
)
def test_headings_may_be_spelt_differently(connection: Connection, heading: str) -> None:
    assert copy(connection, f"{heading}\n{line()}\n") == Copied(1, [], ())


def test_columns_may_come_in_another_order_and_some_may_be_missing(connection: Connection) -> None:
    assert copy(connection, "quantity\torder-id\n3\t302-1\n").rows == 1
    assert landed(connection, "order_id, quantity, price") == [("302-1", 3, None)]


def test_a_heading_never_seen_is_told_and_the_rows_still_load(connection: Connection) -> None:
    content = "order-id\tcarbon\tquantity\torder-id\t\n302-1\theavy\t3\t302-9\t\nshort\n"
    copied = copy(connection, content)
    assert copied.unknown_headings == ("carbon", "order-id")
    assert landed(connection, "order_id, quantity") == [("302-1", 3)]
    assert bad(copied) == [(3, "1 fields instead of 5")]


# ---------- lines that cannot be landed


def test_too_few_and_too_many_fields(connection: Connection) -> None:
    copied = copy(connection, [line("302-1"), "302-2\t1", line("302-3") + "\tmore", line("302-4")])
    assert bad(copied) == [(3, "2 fields instead of 6"), (4, "7 fields instead of 6")]
    assert copied.bad_lines[0].content == "302-2\t1"
    assert landed(connection) == [(2, "302-1"), (5, "302-4")]


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ({"price": "1.234,56"}, "item-price: not a number"),
        ({"price": "99999999999999"}, "item-price: not a number"),
        ({"quantity": "two"}, "quantity: not a whole number"),
        ({"quantity": "1.5"}, "quantity: not a whole number"),
        ({"day": "10/03/2026"}, "purchase-date: not a date and time"),
        ({"day": "03/04/2026"}, "purchase-date: not a date and time"),
        ({"day": "2026-02-30"}, "purchase-date: not a date and time"),
        ({"gift": "perhaps"}, "is-gift: not true or false"),
    ],
)
def test_a_field_that_its_type_refuses(connection: Connection, field: dict[str, str], reason: str) -> None:
    wrong = line("302-2", **field)
    copied = copy(connection, [line("302-1"), wrong, line("302-3")])
    assert bad(copied) == [(3, reason)]
    assert copied.bad_lines[0].content == wrong
    assert landed(connection) == [(2, "302-1"), (4, "302-3")]


def test_numbers_of_bad_lines_are_those_of_the_document(connection: Connection) -> None:
    """PostgreSQL counts what it is sent: lines set aside before, blank ones and the heading shift its numbers."""
    wrong = line(quantity="x")
    copied = copy(connection, ["short", line("1"), wrong, "", "short", wrong, "short", wrong, line("2")])
    assert [number for number, _ in bad(copied)] == [2, 4, 6, 7, 8, 9]
    assert [one.content for one in copied.bad_lines] == ["short", wrong, "short", wrong, "short", wrong]
    assert landed(connection) == [(3, "1"), (10, "2")]


def test_content_of_bad_lines_is_text_whatever_the_charset(connection: Connection) -> None:
    content = f"{HEADING}\r\n{line(quantity='x', title='Kännchen 5 €')}\r\n".encode("cp1252")
    [one] = copy(connection, content, "Cp1252").bad_lines
    assert one.content.endswith("\tKännchen 5 €")
    assert "x" not in one.reason.removeprefix("quantity")


def test_many_bad_lines_among_many_good_ones(connection: Connection) -> None:
    copied = copy(connection, [line(str(n), quantity="x" if n % 3 == 0 else "1") for n in range(30_000)])
    assert (copied.rows, len(copied.bad_lines)) == (20_000, 10_000)
    assert [one.number for one in copied.bad_lines] == list(range(2, 30_002, 3))


def test_the_first_wrong_field_of_a_line_is_named(connection: Connection) -> None:
    wrong = line(quantity="x", price="1,5", gift="?")
    assert bad(copy(connection, [wrong])) == [(2, "quantity: not a whole number")]


def test_other_documents_in_the_table_do_not_matter(connection: Connection) -> None:
    wrong = line(quantity="x")
    assert copy(connection, [line(), line(), line()], batch_id=1).rows == 3
    assert bad(copy(connection, [wrong, line(), wrong], batch_id=2)) == [
        (2, "quantity: not a whole number"),
        (4, "quantity: not a whole number"),
    ]


def test_constants_that_another_document_has_too_are_a_mistake(connection: Connection) -> None:
    copy(connection, [line()])
    with pytest.raises(ValueError, match="do not tell the document from others"):
        copy(connection, [line(), "short"])


# ---------- what is no report


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "is empty"),
        ("\r\n", "is empty"),
        ("\ufeff", "is empty"),
        ("<html><body>Sorry for abc@example.com</body></html>", "is an error page, not a report"),
        ("\n <?xml version='1.0'?>\n<Error/>", "is an error page, not a report"),
        ('{"errors": []}', "is an error page, not a report"),
        ("quantity\tname\n3\tabc@example.com\n", "lacks the columns order-id"),
        ("abc@example.com\n", "lacks the columns order-id, quantity"),
        ("x" * 2_000_000, "has a line of more than"),
        (HEADING + "\n" + "x" * 2_000_000, "has a line of more than"),
    ],
    ids=["empty", "blank", "mark only", "HTML", "XML", "JSON", "no order ids", "another table", "no lines", "endless"],
)
def test_what_is_no_report_is_said_without_quoting_it(connection: Connection, content: str, problem: str) -> None:
    with pytest.raises(BadDocument, match=problem) as caught:
        copy(connection, content)
    assert "raw.flat (batch_id 7, account main)" in str(caught.value)
    assert "abc@" not in str(caught.value)


def test_a_document_that_is_mostly_bad_is_given_up_and_leaves_nothing(connection: Connection) -> None:
    copy(connection, [line("before")])
    good = [line(str(n)) for n in range(9_000)]
    for wrong in ("short", line(quantity="x")):
        with pytest.raises(BadDocument, match="is not usable"):
            copy(connection, [*good, *[wrong] * 12_000])
    assert landed(connection) == [(2, "before")]


def test_too_many_bad_lines_are_given_up(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MOST_BAD_LINES", 10)
    content = [line(), line(), "short"] * 10
    assert len(copy(connection, content).bad_lines) == 10
    with pytest.raises(BadDocument, match="11 of its first"):
        copy(connection, [*content, "short"])


# ---------- from a file


def document(folder: Path, content: bytes) -> Document:
    path = folder / "report"
    path.write_bytes(content)
    return Document(path, "UTF-8", is_gzip=content.startswith(b"\x1f\x8b"))


@pytest.mark.parametrize("pack", [gzip.compress, bytes], ids=["gzip", "plain"])
def test_a_downloaded_document_is_read_as_often_as_needed(connection: Connection, tmp_path: Path, pack: Any) -> None:
    content = "\n".join([HEADING, line(), "short", line("302-2", quantity="x")]).encode()
    with document(tmp_path, pack(content)).open_bytes() as lines:
        copied = copy_flat_file(connection, ORDERS, lines, "UTF-8", CONSTANTS)
    assert (copied.rows, [number for number, _ in bad(copied)]) == (1, [3, 4])


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_a_truncated_gzip_leaves_nothing(connection: Connection, tmp_path: Path, kept: float) -> None:
    whole = gzip.compress("\n".join([HEADING, *(line(str(n), title=str(n * n)) for n in range(50_000))]).encode())
    with document(tmp_path, whole[: int(len(whole) * kept)]).open_bytes() as lines:
        with pytest.raises(Unavailable, match="broke off; it will be fetched again"):
            copy_flat_file(connection, ORDERS, lines, "UTF-8", CONSTANTS)
        assert landed(connection) == []
