"""What mails look like: word for word as kept in golden/, and as a browser draws them on a phone and on a desk.

`pytest tests/outputs/test_mail_looks.py --remake-golden` writes golden/ anew; look at the difference before you commit.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
from chromium import assert_everybody_can_read_it, launched, needs_chromium, screenshot
from output_rows import ANA, NOON, ORDER, after, before, event, goods, insert, order, settings, ticket, waiting
from playwright.sync_api import Browser
from sqlalchemy import Connection, text

from amazon_support.outputs import digest
from amazon_support.outputs.alerts import raise_alerts
from amazon_support.outputs.messages import Rendered
from amazon_support.outputs.outbox_desk import preview
from amazon_support.outputs.reader import Reader
from amazon_support.outputs.worklist import write_worklists
from amazon_support.settings.assignment import Language

GOLDEN = Path(__file__).parent / "golden"
LANGUAGES: tuple[Language, ...] = get_args(Language)
ZONES: dict[Language, str] = {"en": "UTC", "de": "Europe/Berlin", "ja": "Asia/Tokyo"}
WORDS = "Guten Tag,\nmein Paket ist seit einer Woche überfällig. <script>alert('x')</script> Wo ist es?"


@pytest.fixture
def busy(connection: Connection) -> Connection:
    """Something in every section, with an order's facts, a buyer's words and a list before this one."""
    waiting(connection, f"DE:order:{ORDER}", before(hours=27, minutes=10), order_id=ORDER)
    order(connection, status="SHIPPED", shipped_at=before(days=1), ship_by_at=before(hours=30))
    goods(connection, "Teapot, 1.2 l, cast iron, with infuser")
    mail_id = "0123456789abcdef"
    asked = {"kind": "buyer_message", "source_id": mail_id, "actor": "buyer"}
    event(connection, f"DE:order:{ORDER}", before(hours=27, minutes=10), **asked)
    insert(connection, "pii.mail", account="main", mail_id=mail_id, body=WORDS, attachments="[]")
    write_worklists(connection, settings(), as_of=before(hours=1))
    waiting(connection, "JP:buyer:1", before(hours=21), ticket_type="product_question")
    ticket(connection, "US:order:2", "negative_feedback", periods=[("open", before(hours=2))])
    ticket(connection, "DE:order:3", "a_to_z_claim")
    ticket(connection, "DE:case:1234", "case_update", periods=[("open", before(days=3))])
    for number in range(3):
        order(connection, f"302-7654321-000000{number}", ship_by_at=after(hours=6 * number - 3))
        goods(connection, "Kettle", f"302-7654321-000000{number}")
    ticket(connection, "-:mail:0123456789abcdef", "unknown_mail")
    silent = [("pending", before(days=8)), ("solved", before(minutes=30), "auto_solve")]
    ticket(connection, "DE:order:silent", periods=silent)
    return connection


def worklist(connection: Connection, language: Language) -> Rendered:
    agent = ANA.model_copy(update={"timezone": ZONES[language]})
    return preview(
        connection,
        settings(agent),
        "agent",
        ANA.name,
        as_of=NOON,
        language=language,
        pages="https://desk.example/support",
    ).text


def alert(connection: Connection, language: Language) -> Rendered:
    """The e-mail, without the links that stop the ladder: they are encrypted, and so never the same."""
    agent = ANA.model_copy(update={"language": language, "timezone": ZONES[language]})
    write_worklists(connection, settings(agent), as_of=NOON)
    raise_alerts(connection, settings(agent), as_of=NOON, failing=[("main", "orders.pull")])
    return Rendered(*connection.execute(text("select subject, html, plain from pii.outbox")).one())


MAILS = {"worklist": worklist, "alert": alert}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", MAILS)
def test_a_mail_is_word_for_word_what_it_was(
    busy: Connection, request: pytest.FixtureRequest, name: str, language: Language
) -> None:
    made = MAILS[name](busy, language)
    files = {"txt": f"{made.subject}\n\n{made.plain}", "html": made.html}
    for form, content in files.items():
        path = GOLDEN / f"{name}.{language}.{form}"
        if request.config.getoption("--remake-golden"):
            path.write_text(content, encoding="utf-8")
        assert content == path.read_text(encoding="utf-8")


def test_nothing_in_golden_is_left_over() -> None:
    made = {f"{name}.{language}.{form}" for name in MAILS for language in LANGUAGES for form in ("txt", "html")}
    assert {path.name for path in GOLDEN.iterdir()} == made


# ---------- in a browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


def assert_it_looks_right(browser: Browser, name: str, html: str) -> None:
    for width in (360, 720, 1200):
        for scheme in ("light", "dark"):
            context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
            page = context.new_page()
            page.set_content(html)
            screenshot(page, f"mail_{name}_{width}_{scheme}")
            cut = page.evaluate(
                "[...document.querySelectorAll('td, th, div')].filter(e => e.scrollWidth > e.clientWidth + 1"
                " && e.clientWidth).map(e => e.textContent.trim().slice(0, 60))"
            )
            assert cut == []
            assert_everybody_can_read_it(page)
            context.close()


@needs_chromium
@pytest.mark.slow
@pytest.mark.parametrize("name", MAILS)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_mail_can_be_read_by_everybody_at_any_width(
    busy: Connection, browser: Browser, name: str, language: Language
) -> None:
    assert_it_looks_right(browser, f"{name}_{language}", MAILS[name](busy, language).html)


@needs_chromium
@pytest.mark.slow
def test_the_digest_can_be_read_by_everybody_at_any_width(busy: Connection, browser: Browser) -> None:
    made = digest.of_day(busy, settings(), digest.EVERYTHING, as_of=NOON + timedelta(days=1))
    assert_it_looks_right(browser, "digest", digest.as_page(made, Reader()))
