"""Cases with Seller Support, account health with its trend, and what is planned against notifications."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from health_reports import document, land_health, rate
from landing import let_pass
from sqlalchemy import Engine
from ticket_histories import history, record
from visitors import NOW, Browser

from amazon_support import settings, tickets
from amazon_support.web.health import gauge

CASE = ("DE:case:4711", "case_update", {"case_status": "needs_you"})
NOTICE = (
    "DE:mail:1",
    "performance_notification",
    {"performance_issue": "product_safety", "deadline": "2026-03-12T12:00:00Z"},
)
US_CASE = ("US:case:5", "case_update", {})


def happened(engine: Engine, *stories: tuple[str, str, dict[str, Any]]) -> None:
    current = settings.load()
    with engine.begin() as connection:
        for number, (key, ticket_type, detail) in enumerate(stories):
            fields = {"ticket_type": ticket_type, "detail": detail, "marketplace": key[:2], "source_id": f"n{number}"}
            case = {"case_id": key.split(":")[2]} if ":case:" in key else {}
            record(connection, history(("2026-03-09 08:00", "notice", fields | case), key=key))
        tickets.fold(connection, current.policy, tickets.Promises.of(current))


# ---------- cases


def test_open_cases_say_what_amazon_wants_and_when_to_chase(browser: Browser, warehouse: Engine) -> None:
    happened(warehouse, CASE, US_CASE)
    page = browser("ana").get("/cases").text
    assert re.findall(r'href="/tickets/main/[^"]+">([^<]+)</a>', page) == ["4711"], "not those of other agents"
    assert "needs you" in page
    assert 'title="due 2026-03-11 08:00 UTC"' in page


# ---------- notifications


def test_a_notification_stands_with_its_deadline_and_its_plan_of_action(browser: Browser, warehouse: Engine) -> None:
    happened(warehouse, NOTICE)
    page = browser("lea").get("/health").text
    assert "Product safety" in page
    assert 'title="due 2026-03-12 12:00 UTC"' in page
    assert "No plan of action yet." in page
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key
    given = {"key": key[1], "action": "note", "back": "health", "words": "Send the test report <b>today</b>"}
    answer = browser("lea").post("/tickets/main/DE:mail:1", data=given)
    assert answer.url.path == "/health"
    assert "Send the test report &lt;b&gt;today&lt;/b&gt;" in answer.text
    assert "Done: note." in answer.text
    assert "Send the test report" not in browser("vic").get("/health").text
    with warehouse.connect() as connection:
        seen = connection.exec_driver_sql("select distinct visitor, page, subject from ops.personal_data_view").all()
    assert [tuple(row) for row in seen] == [("lea", "health", "DE:mail:1")]


# ---------- figures


def told_by_amazon(warehouse: Engine, **others: Any) -> None:
    from amazon_support.warehouse.land import PUBLISH

    with warehouse.begin() as connection:
        for days, value, status in ((2, 0.01, "GOOD"), (1, 0.05, "BAD")):
            report = document(lateShipmentRate=rate(value, status=status), **others)
            land_health(connection, report, at=NOW - timedelta(days=days))
        let_pass(connection)
        PUBLISH["account_health"](connection, settings.load())


def test_a_figure_stands_against_its_target_and_leads_to_its_trend(browser: Browser, warehouse: Engine) -> None:
    told_by_amazon(warehouse)
    page = browser("ana").get("/health").text
    assert 'class="gauge bad"' in page
    assert "↘ worse" in page
    way = re.search(r'href="(/health/trend\?[^"]*late_shipment_rate[^"]*)"', page)
    assert way
    trend = browser("ana").get(way[1].replace("&amp;", "&"))
    assert trend.status_code == 200
    assert re.findall(r"<td>(2026-03-\d\d)</td>", trend.text) == ["2026-03-09", "2026-03-08"]
    assert 'data-chart="line"' in trend.text
    assert browser("bo").get(way[1].replace("&amp;", "&")).status_code == 403


def test_where_figures_are_many_the_good_ones_of_a_marketplace_are_a_page_of_their_own(
    browser: Browser, warehouse: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amazon_support.web.health.MOST_FIGURES", 1)
    told_by_amazon(warehouse, validTrackingRate=rate(0.99))
    page = browser("ana").get("/health").text
    assert "Late shipment rate" in page  # which is not good
    assert "Valid tracking rate" not in page
    way = re.search(r'href="(/health\?of=main&amp;place=DE)">\d+ others<', page)
    assert way
    assert "Valid tracking rate" in browser("ana").get(way[1].replace("&amp;", "&")).text


@pytest.mark.parametrize(
    ("value", "target", "condition", "unit", "shown"),
    [
        ("0.005", "0.01", "LESS_THAN", "share", {"value": 25, "target": 50}),
        ("0.05", "0.01", "LESS_THAN", "share", {"value": 90.9, "target": 18.2}),
        ("0.95", "0.95", "GREATER_THAN", "share", {"value": 75, "target": 75}),
        ("0.5", "0.95", "GREATER_THAN", "share", {"value": 0, "target": 90}),
        ("3", "0", "EQUAL_TO", "count", {"value": 90.9, "target": 0}),
        ("0", "0", "EQUAL_TO", "count", {"value": 0, "target": 0}),
        (None, "0.01", "LESS_THAN", "share", None),
        ("0.01", None, None, "share", None),
    ],
)
def test_a_gauge_has_room_on_both_sides_of_the_target(
    value: str | None, target: str | None, condition: str | None, unit: str, shown: dict[str, float] | None
) -> None:
    figure = {"value": value and Decimal(value), "target_value": target and Decimal(target)}
    assert gauge({**figure, "target_condition": condition, "unit": unit}) == shown
