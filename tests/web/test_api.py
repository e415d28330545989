"""The same for programs: JSON with the access of the pages."""

import base64
from typing import Any

import pytest
from sqlalchemy import Engine
from ticket_histories import KEY, POLICY, fold, history, moment, record
from visitors import NOW, Browser

from amazon_support import settings, tickets
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


# ---------- a page at a time


def pages(browser: Browser, user: str, path: str, rows: str, **given: Any) -> list[dict[str, Any]]:
    """All rows of a list, asked for one by one."""
    found: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    for _ in range(20):
        answer = asked(browser, user, path, limit=1, **given, **after)
        found += answer[rows]
        if not answer["next"] or not answer[rows]:
            return found
        after = {"after": answer["next"]}
    raise AssertionError("it never ends")


@pytest.fixture
def many(browser: Browser, told: Engine) -> Engine:
    """Two tickets of DE beside the one that was told, due in the same second, and two of US, one of them answered."""
    with told.begin() as connection:
        for number, place in enumerate(("DE", "DE", "US")):
            event = ("2026-03-10 09:00", "buyer_message", {"marketplace": place, "source_id": f"x{number}"})
            record(connection, history(event, key=f"{place}:case:{number}"))
        us = {"marketplace": "US"}
        answered = [
            ("2026-03-08 09:00", "buyer_message", us | {"source_id": "y1"}),
            ("2026-03-08 10:00", "reply", us | {"source_id": "y2"}),
        ]
        record(connection, history(*answered, key="US:case:9"))
        tickets.fold(connection, POLICY)
        write_worklists(connection, settings.load(), as_of=moment("2026-03-10 11:00"))
        write_compliance(connection, settings.load(), as_of=NOW)
    return told


def test_lists_can_be_had_page_by_page_without_gaps_and_doubles(browser: Browser, many: Engine) -> None:
    assert [row["ticket_id"] for row in pages(browser, "ana", "worklist", "items")] == [KEY, "DE:case:0", "DE:case:1"]
    found = pages(browser, "lea", "tickets", "tickets", status="open,new")
    assert [row["id"] for row in found] == [f"main/{id_}" for id_ in (KEY, "DE:case:0", "DE:case:1", "US:case:2")]
    figures = {"since": "2026-03-01", "until": "2026-03-11"}
    rows = pages(browser, "vic", "compliance", "rows", **figures)
    assert rows == asked(browser, "vic", "compliance", **figures)["rows"]
    assert len({row["id"] for row in rows}) == len(rows) > 1


def test_what_goes_between_two_pages_moves_no_other_row(browser: Browser, many: Engine) -> None:
    first = asked(browser, "ana", "worklist", limit=2)
    with many.begin() as connection:
        fold(connection, *STORY, ("2026-03-10 11:30", "reply", {"source_id": "e9"}))
    second = asked(browser, "ana", "worklist", limit=2, after=first["next"])
    assert [row["id"] for row in first["items"] + second["items"]] == [
        f"reply_now/main/{id_}" for id_ in (KEY, "DE:case:0", "DE:case:1")
    ]


NO_PLACES = ("x", "null", "[[1]]", "[]", "{}", '["x"]', '["x", "y"]', '["reply_now", "soon", "main/1"]')


@pytest.mark.parametrize("after", [base64.urlsafe_b64encode(place.encode()).decode() for place in NO_PLACES])
def test_a_place_that_no_answer_named_is_refused(browser: Browser, told: Engine, after: str) -> None:
    for path in ("worklist", "tickets", "events"):
        answer = browser("ana").get(f"/api/{path}", params={"after": after}, headers={"accept": "application/json"})
        assert (answer.status_code, "`after`" in answer.json()["detail"]) == (422, True)


# ---------- events


def test_events_come_as_recorded_and_go_on_after_the_last(browser: Browser, many: Engine) -> None:
    found = pages(browser, "ana", "events", "events")
    assert [(event["ticket_key"], event["kind"]) for event in found] == [
        (KEY, "buyer_message"),
        (KEY, "reply"),
        (KEY, "buyer_message"),
        ("DE:case:0", "buyer_message"),
        ("DE:case:1", "buyer_message"),
    ]
    last = asked(browser, "ana", "events")["next"]
    assert asked(browser, "ana", "events", after=last) == {"events": [], "next": last}
    with many.begin() as connection:
        record(connection, history(("2026-03-10 11:00", "note", {"source_id": "n1"}), key="DE:case:1"))
    assert [event["source_id"] for event in asked(browser, "ana", "events", after=last)["events"]] == ["n1"]


def test_an_event_that_is_recorded_late_is_not_passed_over(browser: Browser, many: Engine) -> None:
    last = asked(browser, "ana", "events")["next"]
    with many.connect() as slow, slow.begin():
        record(slow, history(("2026-03-10 11:00", "note", {"source_id": "slow"}), key="DE:case:1"))
        with many.begin() as quick:
            record(quick, history(("2026-03-10 11:00", "note", {"source_id": "quick"}), key="DE:case:0"))
        held_back = asked(browser, "ana", "events", after=last)
        assert held_back["events"] == []
    found = asked(browser, "ana", "events", after=held_back["next"])["events"]
    assert [event["source_id"] for event in found] == ["slow", "quick"]


def test_events_of_one_ticket_are_for_who_may_see_it(browser: Browser, many: Engine) -> None:
    one = {"account": "main", "ticket_id": KEY}
    assert len(asked(browser, "ana", "events", **one)["events"]) == 3
    assert browser("bo").get("/api/events", params=one).status_code == 403
    assert browser("ana").get("/api/events", params={"ticket_id": KEY}).status_code == 422


@pytest.mark.parametrize(
    "given", [{"since": "yesterday"}, {"since": "2026-03-01", "until": "2026-03-02", "period": "x"}]
)
def test_a_wrong_question_says_what_is_wrong(browser: Browser, told: Engine, given: dict[str, str]) -> None:
    answer = browser("vic").get("/api/compliance", params=given, headers={"accept": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][0] == "query"


def test_openapi_describes_what_there_is(browser: Browser, told: Engine) -> None:
    described = asked(browser, "vic", "openapi.json")
    assert {"/api/worklist", "/api/tickets", "/api/events", "/api/compliance"} < set(described["paths"])
    event = described["components"]["schemas"]["Event"]["properties"]
    assert (event["event_id"]["type"], event["occurred_at"]["format"]) == ("integer", "date-time")
    assert all(get["get"]["description"] for get in described["paths"].values())


def test_the_worklist_can_be_had_as_a_file_without_formulas(browser: Browser, told: Engine) -> None:
    with told.begin() as connection:
        connection.exec_driver_sql("update mart.worklist_item set items = '=HYPERLINK(1)'")
    answer = browser("ana").get("/worklist", params={"format": "csv", "marketplace": "DE"})
    heading, line = answer.content.decode("utf-8-sig").splitlines()
    cells = dict(zip(heading.split(","), line.split(","), strict=True))
    assert (cells["ticket_id"], cells["due_at"], cells["items"]) == (KEY, "2026-03-11 08:00 UTC", "'=HYPERLINK(1)")
