"""The list of open tickets: what is chosen stands in the address, and pages follow one another without gaps."""

import re

import pytest
from sqlalchemy import Engine
from ticket_histories import POLICY, history, record
from visitors import Browser

from amazon_support import tickets


@pytest.fixture
def many(warehouse: Engine) -> Engine:
    """230 tickets of DE, due one minute after another; one on hold in US, one solved."""
    with warehouse.begin() as connection:
        for number in range(230):
            when = f"2026-03-10 {number // 60:02}:{number % 60:02}"
            record(connection, history((when, "buyer_message", {"source_id": f"m{number}"}), key=f"DE:case:{number}"))
        us = {"marketplace": "US"}
        held = [("2026-03-09 08:00", "buyer_message", us), ("2026-03-09 09:00", "hold", us)]
        record(
            connection, [event | {"source_id": f"h{event['source_id']}"} for event in history(*held, key="US:case:1")]
        )
        done = [("2026-03-09 08:00", "buyer_message"), ("2026-03-09 09:00", "solve")]
        record(
            connection, [event | {"source_id": f"d{event['source_id']}"} for event in history(*done, key="DE:case:d")]
        )
        tickets.fold(connection, POLICY)
    return warehouse


def listed(browser: Browser, user: str, query: str = "") -> tuple[list[str], str | None]:
    """(ids of the tickets, query of the next page)"""
    page = browser(user).get(f"/tickets?{query}").text
    more = re.search(r'href="/tickets\?([^"]+)">The next hundred', page)
    return re.findall(r'href="/tickets/main/[^"]+">([^<]+)</a>', page), more and more[1].replace("&amp;", "&")


def test_pages_follow_one_another_the_first_due_first(browser: Browser, many: Engine) -> None:
    found, more = listed(browser, "ana")
    for _ in range(2):
        assert more
        following, more = listed(browser, "ana", more)
        found += following
    assert found == [f"DE:case:{number}" for number in range(230)]
    assert more is None


@pytest.mark.parametrize(
    ("user", "query", "count"),
    [
        ("lea", "status=on_hold", 1),
        ("lea", "marketplace=US", 1),
        ("lea", "ticket_type=refund", 0),
        ("lea", "agent=Ana+Lima", 0),
        ("lea", "account=other", 0),
        ("bo", "", 1),
        ("ana", "status=on_hold", 0),
    ],
)
def test_what_is_chosen_and_what_may_be_seen_is_listed(
    browser: Browser, many: Engine, user: str, query: str, count: int
) -> None:
    assert len(listed(browser, user, query)[0]) == count


@pytest.mark.parametrize("fits_in_memory", [True, False])
def test_all_that_is_chosen_can_be_had_as_a_file(
    browser: Browser, many: Engine, monkeypatch: pytest.MonkeyPatch, fits_in_memory: bool
) -> None:
    monkeypatch.setattr("amazon_support.warehouse.steps.FETCHED_TOGETHER", 100)
    if not fits_in_memory:
        monkeypatch.setattr("amazon_support.web.page.IN_MEMORY", 1000)
    answer = browser("ana").get("/tickets?status=new&format=csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="tickets.csv"'
    heading, *lines = answer.content.decode("utf-8-sig").splitlines()
    assert heading.split(",")[:3] == ["account", "ticket_id", "marketplace"]
    assert [line.split(",")[1] for line in lines] == [f"DE:case:{number}" for number in range(230)]
