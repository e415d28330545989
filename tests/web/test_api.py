"""The same for programs: JSON with the access of the pages."""

from typing import Any

import pytest
from sqlalchemy import Engine
from ticket_histories import KEY, fold, moment
from visitors import NOW, Browser

from amazon_support import settings
from amazon_support.outputs.worklist import write_worklists
from amazon_support.tickets.compliance import write_compliance

STORY = [("2026-03-08 08:00", "buyer_message"), ("2026-03-08 20:00", "reply"), ("2026-03-10 08:00", "buyer_message")]


@pytest.fixture
def told(browser: Browser, warehouse: Engine) -> Engine:
    with warehouse.begin() as connection:
        fold(connection, *STORY)
        write_worklists(connection, settings.load(), as_of=moment("2026-03-10 11:00"))
        write_compliance(connection, settings.load(), as_of=NOW)
    return warehouse


def asked(browser: Browser, user: str, path: str, **given: Any) -> Any:
    answer = browser(user).get(f"/api/{path}", params=given)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_worklist_has_the_time_left_of_now(browser: Browser, told: Engine) -> None:
    found = asked(browser, "ana", "worklist")
    assert found["written_at"] == "2026-03-10T11:00:00Z"
    [item] = found["items"]
    assert (item["ticket_id"], item["section"], item["seconds_left"]) == (KEY, "reply_now", 20 * 3600)
    assert asked(browser, "bo", "worklist")["items"] == []
    assert asked(browser, "lea", "worklist", agent="Ana Lima", marketplace="FR")["items"] == []


@pytest.mark.parametrize(
    ("chosen", "count"), [({"desk": "bqool"}, 1), ({"desk": "seller_central"}, 0), ({"team": "x"}, 0)]
)
def test_the_worklist_of_a_team_or_desk(browser: Browser, told: Engine, chosen: dict[str, str], count: int) -> None:
    assert len(asked(browser, "lea", "worklist", **chosen)["items"]) == count


def test_what_was_dealt_with_since_is_not_on_it(browser: Browser, told: Engine) -> None:
    with told.begin() as connection:
        later = ("2026-03-10 11:30", "reply", {"source_id": "e9"})
        fold(connection, *STORY, later)
    assert asked(browser, "ana", "worklist")["items"] == []


def test_a_ticket_has_everything_but_personal_data_for_a_viewer(browser: Browser, told: Engine) -> None:
    found = asked(browser, "vic", f"tickets/main/{KEY}")
    assert found["ticket"]["status"] == "open"
    assert [entry["what"] for entry in found["timeline"]] == ["buyer_message", "reply", "buyer_message"]
    assert [clock["state"] for clock in found["clocks"] if clock["metric"] == "amazon_reply"] == ["running", "met"]
    assert (found["contact"], found["messages"]) == (None, {})
    assert browser("bo").get(f"/api/tickets/main/{KEY}").status_code == 403


def test_compliance_is_that_of_the_mart(browser: Browser, told: Engine) -> None:
    found = asked(browser, "vic", "compliance", since="2026-03-08", until="2026-03-10")
    assert [(row["starts_on"], row["met"], row["share_met"]) for row in found["rows"]] == [("2026-03-08", 1, 1)]
    assert asked(browser, "vic", "compliance", since="2026-03-01", until="2026-04-01", period="month")["rows"]


@pytest.mark.parametrize(
    "given", [{"since": "yesterday"}, {"since": "2026-03-01", "until": "2026-03-02", "period": "x"}]
)
def test_a_wrong_question_says_what_is_wrong(browser: Browser, told: Engine, given: dict[str, str]) -> None:
    answer = browser("vic").get("/api/compliance", params=given, headers={"accept": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][0] == "query"


def test_openapi_describes_what_there_is(browser: Browser, told: Engine) -> None:
    described = asked(browser, "vic", "openapi.json")
    assert {"/api/worklist", "/api/compliance"} < set(described["paths"])
    assert all(get["get"]["description"] for get in described["paths"].values())


def test_the_worklist_can_be_had_as_a_file_without_formulas(browser: Browser, told: Engine) -> None:
    with told.begin() as connection:
        connection.exec_driver_sql("update mart.worklist_item set items = '=HYPERLINK(1)'")
    answer = browser("ana").get("/worklist", params={"format": "csv", "marketplace": "DE"})
    heading, line = answer.content.decode("utf-8-sig").splitlines()
    cells = dict(zip(heading.split(","), line.split(","), strict=True))
    assert (cells["ticket_id"], cells["due_at"], cells["items"]) == (KEY, "2026-03-11 08:00 UTC", "'=HYPERLINK(1)")
