"""The feedback report is read whatever its site's language, dates and layout; what cannot be read is told."""

from datetime import date

import pytest
from landing import ORDER, order_id

from amazon_support.settings.report_formats import report_formats
from amazon_support.sources.errors import BadDocument
from amazon_support.sources.feedback_report import Parsed, parse_feedback, read_date
from amazon_support.warehouse.land import FeedbackRow
from amazon_support.warehouse.land.batches import BadLine

FORMATS = report_formats().seller_feedback
HEADING = "Date\tRating\tComments\tYour Response\tOrder ID\tRater Email"
EMAIL = "rater77@marketplace.amazon.de"
LINE = f"3/12/26\t1\tLate.\tSorry.\t{ORDER}\t{EMAIL}"


def parse(*lines: str, marketplace: str = "UK", ends: str = "\r\n") -> Parsed:
    return parse_feedback("".join(f"{line}{ends}" for line in lines), marketplace, FORMATS)


def fields(row: FeedbackRow) -> tuple[object, ...]:
    return row.rated_on, row.rating, row.comments, row.response, row.order_id, row.rater_email


def test_a_report_is_read() -> None:
    parsed = parse(HEADING, LINE)
    assert parsed == Parsed([FeedbackRow(2, date(2026, 12, 3), 1, "Late.", "Sorry.", ORDER, EMAIL)], [], ())


def test_quotes_are_literal_and_nothing_is_taken_for_a_line_end() -> None:
    said = ['"Great", not', '"', "it's \\n", "two\x85lines\x0b\u2028", "=1+1", "ünï\ufffd 😠"]
    parsed = parse(HEADING, *(f"3/12/26\t1\t{words}\t\t{ORDER}\t{EMAIL}" for words in said))
    assert [row.comments for row in parsed.rows] == said
    assert parsed.bad_lines == []


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r\n\r\n"])
def test_line_ends_and_blank_lines_do_not_matter(ends: str) -> None:
    assert len(parse(HEADING, LINE, LINE, ends=ends).rows) == 2


def test_a_byte_order_mark_and_marks_of_direction_are_left_out() -> None:
    [row] = parse(
        f"\ufeff{HEADING}", f"\u200f3/12/26\u200f\t1\tمتأخر\t\t\u200e{ORDER}\t {EMAIL} ", marketplace="SA"
    ).rows
    assert fields(row) == (date(2026, 12, 3), 1, "متأخر", "", ORDER, EMAIL)


def test_a_heading_alone_is_a_report_without_feedback() -> None:
    assert parse(HEADING) == Parsed([], [], ())


# ---------- dates


@pytest.mark.parametrize(
    ("country", "written"),
    [
        ("US", "3/12/26"),
        ("US", "03/12/2026"),
        ("DE", "12.3.26"),
        ("DE", "12.03.2026"),
        ("SE", "2026-03-12"),
        ("JP", "26/3/12"),
        ("JP", "2026/03/12"),
        ("UK", "12/3/26"),
        ("CA", "12/3/26"),
        ("FR", "12/03/2026"),
        ("SA", "١٢/٣/٢٦"),
        ("FR", "2026-03-12"),
    ],
)
def test_dates_are_read_as_the_site_writes_them(country: str, written: str) -> None:
    assert read_date(written, FORMATS.date_order(country)) == date(2026, 3, 12)


@pytest.mark.parametrize("written", ["", "soon", "12/3", "31/2/26", "12/13/26", "1/2/3/26", "12/3/126", "12 March 26"])
def test_what_is_no_date_is_refused(written: str) -> None:
    with pytest.raises(ValueError):
        read_date(written, "d/m/y")


# ---------- headings


@pytest.mark.parametrize(
    "heading",
    [
        "Datum\tBewertung\tKommentare\tAntwort\tBestellnummer\tE-Mail des Bewerters",
        "Date\tÉvaluation\tCommentaire\tResponse\tOrder ID\tE-mail de l'évaluateur",
        "Date\tRating\tComments\tResponse\tNumero ordine\tE-mail autore della valutazione",
        "Date\tRating\tComentarios\tResponse\tNúmero de pedido\tE-mail del cliente",
        "Datum\tBeoordeling\tOpmerkingen\tAntwoord\tBestelnummer\tE-mail van beoordelaar",
        "Data\tOcena\tKomentarze\tOdpowiedź\tNumer zamówienia\tE-mail oceniającego",
        "DATE\trating\tComments\tYour_response\torder-id\tRater  email",
        "Date\tE\u0301valuation\tCommentaire\tResponse\tOrder ID\tE-mail de l’évaluateur",
    ],
)
def test_translated_headings_are_known(heading: str) -> None:
    parsed = parse(heading, LINE)
    assert parsed.unknown_headings == ()
    assert fields(parsed.rows[0])[2:] == ("Late.", "Sorry.", ORDER, EMAIL)


def test_columns_may_come_in_any_order() -> None:
    parsed = parse(
        "Order ID\tRater Email\tComments\tDate\tRating\tYour Response", f"{ORDER}\t{EMAIL}\tLate.\t3/12/26\t1\tSorry."
    )
    assert fields(parsed.rows[0]) == (date(2026, 12, 3), 1, "Late.", "Sorry.", ORDER, EMAIL)


def test_headings_never_seen_lose_nothing_and_are_told() -> None:
    parsed = parse("Päivä\tArvio\tSanat\tVastaus\tTilaus\tSähköposti", LINE)
    assert fields(parsed.rows[0]) == (date(2026, 12, 3), 1, "Late.", "Sorry.", ORDER, EMAIL)
    assert parsed.unknown_headings == ("Päivä", "Arvio", "Sanat", "Vastaus", "Tilaus", "Sähköposti")


def test_unknown_columns_are_recognised_by_content_wherever_they_are() -> None:
    parsed = parse(
        "Päivä\tArvio\tSanat\tVastaus\tAjoissa\tKuvaus\tTilaus\tSähköposti",
        f"3/12/26\t1\tLate and broken.\tSorry.\tYes\tNo\t{ORDER}\t{EMAIL}",
        f"4/12/26\t3\t\tNo need.\tNo\tNo\t{order_id(2)}\t{EMAIL}",
        f"5/12/26\t2\tIt came in pieces, and late.\t\tNo\tNo\t{order_id(3)}\t{EMAIL}",
    )
    assert [fields(row) for row in parsed.rows] == [
        (date(2026, 12, 3), 1, "Late and broken.", "Sorry.", ORDER, EMAIL),
        (date(2026, 12, 4), 3, "", "No need.", order_id(2), EMAIL),
        (date(2026, 12, 5), 2, "It came in pieces, and late.", "", order_id(3), EMAIL),
    ]


def test_one_unknown_heading_among_known_ones_is_told_by_its_place_in_an_empty_report() -> None:
    assert parse(HEADING.replace("Rater Email", "Rater")) == Parsed([], [], ("Rater",))


def test_columns_of_older_reports_are_left_out_without_a_word() -> None:
    parsed = parse(
        "Date\tRating\tComments\tYour Response\tArrived on Time\tItem as Described\tCustomer Service\tOrder ID\t"
        "Rater Email\tRater Role",
        f"3/12/26\t1\tLate.\tSorry.\tNo\tYes\t-\t{ORDER}\t{EMAIL}\tBuyer",
    )
    assert fields(parsed.rows[0]) == (date(2026, 12, 3), 1, "Late.", "Sorry.", ORDER, EMAIL)
    assert parsed.unknown_headings == ()


def test_a_new_column_is_told_and_does_no_harm() -> None:
    parsed = parse(f"{HEADING}\tSeller ID", f"{LINE}\tA1")
    assert parsed.unknown_headings == ("Seller ID",)
    assert fields(parsed.rows[0])[2:] == ("Late.", "Sorry.", ORDER, EMAIL)


# ---------- what cannot be read


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (f"3/12/26\t1\tLate.\t{ORDER}", "4 fields instead of 6"),
        (f"{LINE}\tmore", "7 fields instead of 6"),
        (LINE.replace("3/12/26", "32/12/26"), "date: not written d/m/y, or no such day"),
        (LINE.replace("\t1\t", "\t0\t"), "rating: not 1 to 5"),
        (LINE.replace("\t1\t", "\t6\t"), "rating: not 1 to 5"),
        (LINE.replace("\t1\t", "\t\t"), "rating: not 1 to 5"),
        (LINE.replace(ORDER, "302-1"), "order id: not of Amazon's shape"),
        (LINE.replace(ORDER, ""), "order id: not of Amazon's shape"),
    ],
)
def test_a_bad_line_is_told_and_the_others_are_read(bad: str, reason: str) -> None:
    parsed = parse(HEADING, LINE, bad, LINE)
    assert parsed.bad_lines == [BadLine(3, reason, bad)]
    assert [row.line_number for row in parsed.rows] == [2, 4]


def test_empty_fields_at_the_end_are_no_fault() -> None:
    assert len(parse(HEADING, f"{LINE}\t\t").rows) == 1


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "empty"),
        ("\ufeff\r\n \r\n", "empty"),
        ("<!DOCTYPE html><html><body>Sign in</body></html>", "error page"),
        ('{"errors": []}', "error page"),
        ("Internal error, please try again.", "no column that could be: Date, Rating, Order ID"),
        ("Päivä\tArvio\tSanat\tVastaus\tTilaus\tSähköposti\r\n", "no column that could be"),
        ("Date\tRating\tComments\r\n3/12/26\t1\tLate.\r\n", "no column that could be: Order ID"),
        (f"Date\tRating\tOrder ID\r\n3/12/26\t1\t{ORDER}\r\n", "only 3 of its 6 usual columns"),
        (LINE, "no line of headings"),
        ("\r\n".join([HEADING, *[LINE] * 4, *[LINE.replace("3/12", "12/31")] * 6]), "6 of its 10 lines.*d/m/y"),
    ],
)
def test_what_is_no_report_is_refused(text: str, what: str) -> None:
    with pytest.raises(BadDocument, match=what) as refused:
        parse_feedback(text, "UK", FORMATS)
    assert EMAIL not in str(refused.value)
