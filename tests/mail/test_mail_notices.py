"""What Amazon's notices list: amounts, dates, tables, decisions, links, as they are written on each site."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from mail_builders import ALIAS, BUYER, DASHES, LINK, NOON, ORDER, SUBJECT, framed, mail

from amazon_support.mail import MailFacts, explain
from amazon_support.mail import money as figures
from amazon_support.mail.rules import sites
from amazon_support.mail.times import Place, read_moment

CENTRAL = "https://sellercentral.amazon.de"


def notice(text: str = "", html: str | None = None, *, subject: str, sender: str = "donotreply@amazon.de") -> MailFacts:
    return explain(mail(sender, subject, text if html is None else None, html), received_at=NOON)


def refund(html: str) -> MailFacts:
    return notice(html=html, subject=f"Erstattung für Ihre Bestellung {ORDER}")


def table(*rows: tuple[str, ...]) -> str:
    return "<table>" + "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows) + "</table>"


# ---------- money


@pytest.mark.parametrize(
    ("written", "country", "expected"),
    [
        ("169.01", "DE", "169.01 EUR"),
        ("119,00 €", "DE", "119.00 EUR"),
        ("119,00\u00a0€", "FR", "119.00 EUR"),
        ("1\u202f234,56 €", "FR", "1234.56 EUR"),
        ("1.234,56 €", "IT", "1234.56 EUR"),
        ("€1.234", "NL", "1234 EUR"),
        ("-119,00 €", "DE", "119.00 EUR"),
        ("(£1,234.50)", "UK", "1234.50 GBP"),
        ("GBP 24.9", "UK", "24.9 GBP"),
        ("$24.90", "US", "24.90 USD"),
        ("$24.90", "AU", "24.90 AUD"),
        ("$24.90", "DE", "24.90 USD"),
        ("US$24.90", "MX", "24.90 USD"),
        ("CDN$ 24.90", "CA", "24.90 CAD"),
        ("R$ 1.249,00", "BR", "1249.00 BRL"),
        ("￥12,490", "JP", "12490 JPY"),
        ("12,490円", "JP", "12490 JPY"),
        ("1 249,00 kr", "SE", "1249.00 SEK"),
        ("249,00 zł", "PL", "249.00 PLN"),
        ("₺249,00", "TR", "249.00 TRY"),
        ("₹1,24,900.50", "IN", "124900.50 INR"),
        ("AED 249.00", "AE", "249.00 AED"),
        ("٢٤٩٫٥٠ ر.س", "SA", "249.50 SAR"),
        ("S$24.90", "SG", "24.90 SGD"),
        ("R 249.00", "ZA", "249.00 ZAR"),
        ("0.995", "DE", "0.995 EUR"),
    ],
)
def test_amounts_as_each_site_writes_them(written: str, country: str, expected: str) -> None:
    found = figures.amount(written, sites().by_country[country])
    assert found is not None
    assert f"{found.figure} {found.currency}" == expected


@pytest.mark.parametrize("text", ["", "free", "on 12.03.2026 we", "B0TEAPOT01", ORDER, "call 030 1234567"])
def test_other_figures_in_a_sentence_are_no_amounts(text: str) -> None:
    assert figures.amounts(text, sites().by_country["DE"]) == []


def test_a_sum_of_two_currencies_is_none() -> None:
    parts = [figures.Money(Decimal(1), "EUR"), figures.Money(Decimal(2), "SEK")]
    assert figures.total(parts) is None
    assert figures.total(parts[:1]) == parts[0]
    assert figures.total([]) is None


def test_several_refunds_in_one_mail_add_up_and_a_signal_says_so() -> None:
    facts = refund(table(("SKU", "Menge", "Betrag"), ("A-1", "1", "10,50 €"), ("B-2", "2", "20,00 €")))
    assert (facts.amount, facts.currency) == ("30.50", "EUR")
    assert "amount:added:2" in facts.signals
    assert [(each.sku, each.quantity, each.amount) for each in facts.products] == [
        ("A-1", 1, "10.50"),
        ("B-2", 2, "20.00"),
    ]


def test_a_total_is_believed_over_a_sum() -> None:
    facts = refund(table(("SKU", "Menge", "Betrag"), ("A-1", "1", "10,50 €"), ("Summe", "", "9,99 €")))
    assert (facts.amount, len(facts.products)) == ("9.99", 1)


def test_columns_may_stand_in_any_order_and_under_headings_that_nobody_knows() -> None:
    facts = refund(table(("Summa summarum", "Xyz", "Wieviel"), ("119,00\u00a0€", "B0TEAPOT01", "3")))
    assert [(each.asin, each.quantity, each.amount) for each in facts.products] == [("B0TEAPOT01", 3, "119.00")]


def test_a_table_of_layout_around_the_table_of_items_changes_nothing() -> None:
    inner = table(("ASIN", "Menge", "Betrag"), ("B0TEAPOT01", "1", "10,50 €"))
    assert refund(table((inner, "Werbung"))).products == refund(inner).products != ()


def test_labels_broken_over_lines_and_left_in_english_are_read() -> None:
    html = f"<ul><li><b>Order\n ID:</b> {ORDER}</li><li><b>Erstattungs<wbr>betrag</b>: 119,00\u00a0€</li></ul>"
    facts = refund(html)
    assert (facts.order_ids, facts.amount) == ((ORDER,), "119.00")


def test_an_imitation_lists_nothing() -> None:
    text = "Erstattungsbetrag: 119,00 €\nASIN: B0TEAPOT01"
    raw = mail("donotreply@amazon.de", f"Erstattung für Bestellung {ORDER}", text, auth="fail")
    facts = explain(raw)
    assert (facts.kind, facts.amount, facts.products, facts.links) == ("imitation", None, (), ())


# ---------- times


@pytest.mark.parametrize(
    ("written", "country", "expected"),
    [
        ("24 March 2026", "UK", "2026-03-24 23:59:59"),
        ("March 24, 2026", "US", "2026-03-25 06:59:59"),
        ("24. März 2026", "DE", "2026-03-24 22:59:59"),
        ("24 mars 2026 à 14h30", "FR", "2026-03-24 13:30:00"),
        ("24 de marzo de 2026", "ES", "2026-03-24 22:59:59"),
        ("2026年3月24日 14時30分", "JP", "2026-03-24 05:30:00"),
        ("2026-03-24 14:30 UTC", "JP", "2026-03-24 14:30:00"),
        ("03/04/2026", "UK", "2026-04-03 22:59:59"),
        ("04/03/2026", "US", "2026-04-04 06:59:59"),
        ("March 24, 2026 5:00 PM PDT", "US", "2026-03-25 00:00:00"),
        ("24 March 2026, 17:00 (UTC+2)", "UK", "2026-03-24 15:00:00"),
        ("24 March", "UK", "2026-03-24 23:59:59"),
        ("9 January", "UK", "2027-01-09 23:59:59"),
        ("30 days", "UK", "2026-04-09 12:00:00"),
        ("three (3) days", "UK", "2026-03-13 12:00:00"),
        ("72 hours", "UK", "2026-03-13 12:00:00"),
        ("2 weeks", "UK", "2026-03-24 12:00:00"),
        ("5 business days", "UK", "2026-03-17 12:00:00"),
    ],
)
def test_dates_and_spans_as_each_site_writes_them(written: str, country: str, expected: str) -> None:
    found = read_moment(written, Place(NOON, sites().by_country[country]))
    assert found is not None
    assert found[0] == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize("written", ["", "31 February 2026", "99/99/2026", "5 apples", "3 out of 5", "tomorrow"])
def test_what_is_no_date_is_none(written: str) -> None:
    assert read_moment(written, Place(NOON, sites().by_country["UK"])) is None


@pytest.mark.parametrize("text", ["Antworten Sie bis zum 09.03.2026.", "Antworten Sie bis zum 10.03.2099."])
def test_a_date_that_has_passed_or_is_years_away_is_no_deadline(text: str) -> None:
    facts = notice(text, subject="Handlungsbedarf: Angebot", sender="seller-performance@amazon.de")
    assert facts.deadline is None


def test_the_earliest_of_two_deadlines_counts_and_appeals_are_apart() -> None:
    text = (
        "Antworten Sie bis zum 24.03.2026, spätestens innerhalb von 3 Tagen.\n\nEinspruch ist bis 01.05.2026 möglich."
    )
    facts = notice(text, subject=f"A-bis-z-Garantieantrag {ORDER}")
    assert facts.deadline == datetime(2026, 3, 13, 12, tzinfo=UTC)
    assert facts.appeal_until == datetime(2026, 5, 1, 21, 59, 59, tzinfo=UTC)
    assert {"deadline:within:de", "appeal:date:de"} <= set(facts.signals)


# ---------- decisions


def test_a_chargeback_that_says_what_would_follow_brings_no_decision() -> None:
    text = "Answer within 7 days. Otherwise the amount is debited from your account."
    facts = notice(text, subject=f"Chargeback for order {ORDER}", sender="cb-seller-notification@amazon.com")
    assert (facts.decision, facts.deadline) == (None, datetime(2026, 3, 17, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("words", "asks"),
    [
        ("Hi, please cancel my order, I found it cheaper.", "cancellation"),
        ("Ich möchte die Bestellung bitte stornieren.", "cancellation"),
        ("Bonjour, je souhaite annuler ma commande.", "cancellation"),
        ("Buongiorno, vorrei annullare l'ordine.", "cancellation"),
        ("Buenos días, quiero cancelar el pedido.", "cancellation"),
        ("Ik wil mijn bestelling annuleren.", "cancellation"),
        ("Hej, jag vill avbeställa.", "cancellation"),
        ("Chciałbym anulować zamówienie.", "cancellation"),
        ("Gostaria de cancelar o pedido.", "cancellation"),
        ("Siparişimi iptal etmek istiyorum.", "cancellation"),
        ("注文をキャンセルしたいです。", "cancellation"),
        ("Where is my order?", None),
        ("Wo ist meine Bestellung?", None),
    ],
)
def test_a_buyer_who_asks_to_cancel_in_a_message_is_still_a_buyer_who_writes(words: str, asks: str | None) -> None:
    facts = explain(mail(BUYER, SUBJECT, framed(words)))
    assert (facts.kind, facts.asks) == ("buyer_message", asks)


def test_an_official_cancellation_request_asks_nothing_in_words() -> None:
    assert notice("Stornierung", subject=f"Stornierungsanfrage zu {ORDER}").asks is None


# ---------- links


@pytest.mark.parametrize(
    ("path", "purpose"),
    [
        ("/messaging/no-response-needed?t=1", "no_response"),
        ("/messaging/inbox?fi=caseId&ss=1", "report"),
        (f"/orders-v3/order/{ORDER}", "order"),
        ("/gp/returns/list/v2", "return"),
        ("/cu/case-lobby", "case"),
        ("/performance/notifications", "account_health"),
        ("/something/new", "other"),
    ],
)
def test_links_of_notices_have_a_purpose(path: str, purpose: str) -> None:
    facts = notice(f"Siehe {CENTRAL}{path}", subject="Neuigkeiten")
    assert [(link.purpose, link.url) for link in facts.links] == [(purpose, f"{CENTRAL}{path}")]


def test_a_link_that_a_buyer_wrote_is_no_link_of_amazons() -> None:
    facts = explain(mail(BUYER, SUBJECT, framed(f"Hier: {CENTRAL}/orders-v3 und {LINK}x", footer=LINK)))
    assert [link.url for link in facts.links] == [LINK]


def test_copies_of_one_message_are_one_mail_though_their_ids_differ() -> None:
    first, second = (
        explain(mail(BUYER, SUBJECT, framed(), to=to, headers=[("Message-ID", f"<{to}>")]))
        for to in ("support+de@shop.example", "service@shop.example")
    )
    assert first.mail_id == second.mail_id
    assert first.message_id != second.message_id
    assert (first.thread_key, first.message_key) == (second.thread_key, second.message_key) == ("T1", "M1")
    assert first.delivered_to_tags == ("de",)


def test_two_messages_of_one_thread_are_two_mails() -> None:
    first, second = (explain(mail(BUYER, SUBJECT, framed(footer=LINK.replace("M1", each)))) for each in ("M1", "M2"))
    assert first.mail_id != second.mail_id


def test_an_imitation_does_not_take_the_name_of_the_mail_it_imitates() -> None:
    genuine, imitation = (explain(mail(BUYER, SUBJECT, framed(), auth=auth)) for auth in ("pass", "fail"))
    assert imitation.kind == "imitation"
    assert genuine.mail_id != imitation.mail_id


def test_the_buyers_alias_in_an_older_link_names_no_message() -> None:
    link = f"{CENTRAL}/messaging/no-response-needed?t=T1&m={ALIAS.partition('@')[0].upper()}"
    facts = explain(mail(BUYER, SUBJECT, f"{DASHES} Nachricht: {DASHES}\nHallo\n{DASHES * 2}\n{link}"))
    assert (facts.thread_key, facts.message_key) == ("T1", None)
