"""Service levels: whatever figure is shown leads to the tickets behind it."""

import html
import re

import pytest
from sqlalchemy import Engine
from ticket_histories import POLICY, history, record
from visitors import NOW, Browser

from amazon_support import settings, tickets
from amazon_support.tickets.compliance import write_compliance

STORIES = {
    "DE:case:quick": [("2026-03-08 08:10", "buyer_message"), ("2026-03-08 08:40", "reply", {"actor": "Ana Lima"})],
    "DE:case:late": [("2026-03-06 08:20", "buyer_message"), ("2026-03-09 08:00", "reply", {"actor": "Ana Lima"})],
    "DE:case:open": [("2026-03-07 21:00", "buyer_message")],
    "US:case:quick": [
        ("2026-03-08 08:10", "buyer_message", {"marketplace": "US"}),
        ("2026-03-08 13:00", "reply", {"marketplace": "US", "actor": "Bo Berg"}),
    ],
}
FIGURE = re.compile(r'href="(/levels/tickets\?[^"]+)"[^>]*>(\d+)</a>')


@pytest.fixture
def counted(warehouse: Engine) -> Engine:
    with warehouse.begin() as connection:
        for number, (key, story) in enumerate(STORIES.items()):
            told = [event | {"source_id": f"{number}{event['source_id']}"} for event in history(*story, key=key)]
            record(connection, told)
        tickets.fold(connection, POLICY, tickets.Promises.of(settings.load()))
        write_compliance(connection, settings.load(), as_of=NOW)
    return warehouse


def behind(browser: Browser, user: str, link: str) -> list[str]:
    page = browser(user).get(html.unescape(link))
    assert page.status_code == 200
    return re.findall(r'href="/tickets/main/[^"]+">([^<]+)</a>', page.text)


@pytest.mark.parametrize("by", ["marketplace", "agent", "ticket_type", "desk", "team"])
def test_each_figure_has_as_many_tickets_behind_it(browser: Browser, counted: Engine, by: str) -> None:
    page = browser("lea").get("/levels", params={"by": by}).text
    figures = FIGURE.findall(page)
    assert len(figures) > 8
    assert [(link, len(behind(browser, "lea", link))) for link, _ in figures] == [
        (link, int(number)) for link, number in figures
    ]


def test_a_figure_changes_when_compliance_is_written_anew(browser: Browser, counted: Engine) -> None:
    reply = {"actor": "Ana Lima", "source_id": "afterwards", "source_order": 9}

    def page() -> str:
        return browser("lea").get("/levels").text

    before = page()
    assert page() == before
    with counted.begin() as connection:
        record(connection, history(("2026-03-08 20:00", "reply", reply), key="DE:case:open"))
        tickets.fold(connection, POLICY, tickets.Promises.of(settings.load()))
    assert page() == before
    with counted.begin() as connection:
        write_compliance(connection, settings.load(), as_of=NOW)
    assert FIGURE.findall(page()) != FIGURE.findall(before)


def test_an_agent_sees_behind_a_figure_what_that_agent_may_see(browser: Browser, counted: Engine) -> None:
    everything = "/levels/tickets?days=30"
    assert sorted(behind(browser, "lea", everything)) == sorted(STORIES)
    assert sorted(behind(browser, "ana", everything)) == ["DE:case:late", "DE:case:open", "DE:case:quick"]
    assert behind(browser, "bo", everything) == ["US:case:quick"]


def test_how_long_it_took_and_when_it_began(browser: Browser, counted: Engine) -> None:
    page = browser("vic").get("/levels").text
    assert re.findall(r"<tr><td>([^<]+ h)</td>\s*<td class=\"number\" data-value=\"([1-9])\"", page) == [
        ("0–1 h", "1"),
        ("4–8 h", "1"),
        ("over 48 h", "1"),
    ]
    began = re.findall(r'weekday=(\d)&amp;hour=(\d+)" title="([^"]+)"', page)
    assert began == [
        ("5", "8", "1 began, 1 breached"),
        ("6", "21", "1 began, 1 breached"),
        ("7", "8", "2 began, 0 breached"),
    ]


def test_days_without_anything_have_no_charts(browser: Browser, counted: Engine) -> None:
    page = browser("vic").get("/levels", params={"marketplace": "JP"}).text
    assert "Nothing was counted" in page
    assert "data-chart" not in page
