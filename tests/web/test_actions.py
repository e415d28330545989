"""What people do on the ticket page: a fact each, once, shown at once, refused with a reason."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from starlette.types import Message, Receive, Scope, Send
from ticket_histories import KEY, fold, moment
from visitors import Browser, fetched

from amazon_support.orchestration import hooks
from amazon_support.outputs.acknowledge import Breach
from amazon_support.web import app

PAGE = f"/tickets/main/{KEY}"
ASKED = ("2026-03-10 08:00", "buyer_message")


@pytest.fixture
def asked(warehouse: Engine) -> Engine:
    with warehouse.begin() as connection:
        fold(connection, ASKED)
    return warehouse


def form_key(browser: Browser, user: str, page: str = PAGE) -> str:
    found = re.search(r'name="key" value="([^"]+)"', browser(user).get(page).text)
    assert found
    return found.group(1)


def do(browser: Browser, user: str, action: str, **given: str) -> Any:
    key = given.pop("key", "") or form_key(browser, user)
    return browser(user).post(PAGE, data={"key": key, "action": action, **given})


def events(warehouse: Engine) -> list[tuple[Any, ...]]:
    query = "select kind, actor, ticket_type, order_id, detail from core.ticket_event where source = 'page'"
    with warehouse.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query + " order by event_id")]


@pytest.mark.parametrize(
    ("action", "given", "event", "shows"),
    [
        ("solve", {}, ("solve", "ana", None, None, {}), "solved"),
        ("no_response_needed", {}, ("no_response_needed", "ana", None, None, {}), "solved"),
        ("take", {}, ("assign", "ana", None, None, {"agent": "Ana Lima"}), "With Ana Lima"),
        ("assign", {"agent": "Bo Berg"}, ("assign", "ana", None, None, {"agent": "Bo Berg"}), "With Bo Berg"),
        ("hold", {"stakeholder": "carrier"}, ("hold", "ana", None, None, {"stakeholder": "carrier"}), "on hold"),
        ("change_type", {"ticket_type": "refund"}, ("change_type", "ana", "refund", None, {}), "Refund, DE"),
        (
            "attach_order",
            {"order_id": "302-7654321-7654321"},
            ("attach_order", "ana", None, "302-7654321-7654321", {}),
            "being fetched from Amazon",
        ),
        ("note", {"words": "Called the carrier <b>twice</b>"}, ("note", "ana", None, None, {}), "&lt;b&gt;twice"),
    ],
)
def test_an_action_is_a_fact_with_its_actor_and_shows_at_once(
    browser: Browser, asked: Engine, action: str, given: dict[str, str], event: tuple[Any, ...], shows: str
) -> None:
    answer = do(browser, "ana", action, **given)
    assert answer.status_code == 200
    assert answer.history[0].status_code == 303
    assert shows in answer.text
    assert events(asked) == [event]


def test_a_double_click_is_one_action(browser: Browser, asked: Engine) -> None:
    key = form_key(browser, "ana")
    for _ in range(2):
        assert do(browser, "ana", "take", key=key).status_code == 200
    assert len(events(asked)) == 1


def test_an_action_is_on_record_before_the_answer_goes_out(browser: Browser, asked: Engine) -> None:
    key = form_key(browser, "ana")
    recorded: list[int] = []

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                recorded.append(len(events(asked)))
            await send(message)

        await app(scope, receive, sending)

    answer = TestClient(watched, follow_redirects=False).post(PAGE, data={"key": key, "action": "take"})
    assert (answer.status_code, recorded) == (303, [1])


def test_what_the_rules_refuse_is_recorded_and_told(browser: Browser, asked: Engine) -> None:
    do(browser, "ana", "change_type", ticket_type="system_message")
    key = form_key(browser, "ana")
    given = {"key": key, "action": "change_type", "ticket_type": "refund"}
    answer = browser("ana", moment("2026-03-10 12:01")).post(PAGE, data=given)
    assert "This type of ticket cannot be changed." in answer.text
    with asked.connect() as connection:
        assert connection.exec_driver_sql("select kind, reason from mart.ticket_refusal").all() == [
            ("change_type", "fixed_type")
        ]


def test_on_a_closed_ticket_only_a_note_is_offered(browser: Browser, asked: Engine) -> None:
    key = form_key(browser, "ana")
    with asked.begin() as connection:
        fold(connection, ASKED, ("2026-03-10 09:00", "close", {"source_id": "e9"}))
    page = browser("ana").get(PAGE).text
    assert 'value="solve"' not in page
    assert 'value="note"' in page
    assert "The ticket is closed: nothing can be changed." in do(browser, "ana", "solve", key=key).text


@pytest.mark.parametrize(
    ("action", "given", "status", "says"),
    [
        ("explode", {}, 422, "There is no action explode."),
        ("assign", {"agent": "Nobody"}, 422, "Agent Nobody is not in agents.yaml."),
        ("assign", {"agent": " "}, 422, "Assign: say the agent, too."),
        ("hold", {}, 422, "Hold: say the stakeholder, too."),
        ("attach_order", {"order_id": "12"}, 422, "12 is no order id; expected such as 302-1234567-1234567."),
        ("solve", {"key": "made-up"}, 403, "was not made by these pages"),
    ],
)
def test_a_wrong_form_says_what_is_wrong_and_changes_nothing(
    browser: Browser, asked: Engine, action: str, given: dict[str, str], status: int, says: str
) -> None:
    answer = do(browser, "ana", action, **given)
    assert (answer.status_code, says in answer.text) == (status, True), answer.text
    assert events(asked) == []


def test_a_form_is_good_for_its_user_and_ticket_only(browser: Browser, asked: Engine) -> None:
    with asked.begin() as connection:
        fold(connection, ("2026-03-10 08:00", "buyer_message", {"ticket_key": "DE:case:1", "source_id": "c1"}))
    for key in (form_key(browser, "lea"), form_key(browser, "ana", "/tickets/main/DE:case:1")):
        assert do(browser, "ana", "solve", key=key).status_code == 403
    assert events(asked) == []


@pytest.mark.parametrize("user", ["vic", "bo", "stranger"])
def test_who_may_not_act_cannot(browser: Browser, asked: Engine, user: str) -> None:
    key = form_key(browser, "ana")
    answer = browser(user).post(PAGE, data={"key": key, "action": "solve"})
    assert answer.status_code == 403
    assert events(asked) == []


def test_while_tickets_are_computed_nothing_is_changed_and_the_page_says_so(
    browser: Browser, asked: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amazon_support.tickets.actions.PATIENCE", 50)
    key = form_key(browser, "ana")
    with asked.begin() as connection:
        connection.exec_driver_sql("lock table ops.ticket_touched in share row exclusive mode")
        answer = do(browser, "ana", "solve", key=key)
    assert answer.status_code == 503
    assert "Nothing was changed; try again in a minute." in answer.text
    assert events(asked) == []
    assert "solved" in do(browser, "ana", "solve", key=key).text


def test_time_moves_on_between_actions(browser: Browser, asked: Engine) -> None:
    do(browser, "ana", "hold", stakeholder="carrier")
    later = browser("ana", moment("2026-03-12 12:00"))
    assert "on hold</span> since <time" in later.get(PAGE).text


def test_an_order_that_is_not_known_is_asked_for_at_once(browser: Browser, asked: Engine) -> None:
    fetched.clear()
    do(browser, "ana", "take")
    assert fetched == []
    do(browser, "ana", "attach_order", order_id="302-7654321-7654321")
    assert fetched == ["ana"]


def test_enter_in_a_field_does_what_stands_beside_it(browser: Browser, asked: Engine) -> None:
    for form in re.findall(r'<form class="act".*?</form>', browser("ana").get(PAGE).text, re.DOTALL):
        fields = re.findall(r"<(?:input(?! type=\"hidden)|select|textarea)", form)
        assert len(fields) <= 1, form


# ---------- acknowledging a breach


def acknowledged_at(browser: Browser, at: str, key: str) -> Any:
    return browser("ana", moment(at)).post(PAGE, data={"key": key, "action": "acknowledge"})


def test_what_is_late_is_seen_to_from_its_page_and_nobody_is_told_again(browser: Browser, asked: Engine) -> None:
    assert "I see to it" not in browser("ana").get(PAGE).text, "nothing is late yet"
    key = form_key(browser, "ana")
    assert "I see to it" in browser("ana", moment("2026-03-11 09:00")).get(PAGE).text
    for _ in range(2):
        page = acknowledged_at(browser, "2026-03-11 09:00", key)
        assert page.status_code == 200
    assert "Ana Lima sees to it" in page.text
    assert 'value="acknowledge"' not in page.text
    assert acknowledged(asked) == [(KEY, 1, "Ana Lima")]


def test_what_is_not_late_cannot_be_seen_to(browser: Browser, asked: Engine) -> None:
    answer = acknowledged_at(browser, "2026-03-10 12:00", form_key(browser, "ana"))
    assert (answer.status_code, "there is nothing to see to" in answer.text) == (409, True)
    assert f'href="{PAGE}">Back to the ticket' in answer.text


def acknowledged(warehouse: Engine) -> list[tuple[Any, ...]]:
    with warehouse.connect() as connection:
        query = "select ticket_id, cycle, acknowledged_by from core.alert_acknowledgement"
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def link(at: str = "2026-03-10 09:00") -> str:
    breach = Breach("main", "reply", KEY, 1, "Ana Lima")
    return f"/acknowledge/{hooks.acknowledgement_links().token(breach, at=moment(at))}"


def test_the_link_of_an_alert_asks_first_and_then_stops_it(browser: Browser, asked: Engine) -> None:
    page = browser("lea").get(link())
    assert (page.status_code, KEY in page.text) == (200, True)
    assert acknowledged(asked) == [], "looking changes nothing"
    key = re.search(r'name="key" value="([^"]+)"', page.text)
    assert key
    for _ in range(2):
        answer = browser("lea").post(link(), data={"key": key[1]})
        assert answer.url.path == PAGE
    assert acknowledged(asked) == [(KEY, 1, "lea")], "who did it, not whom the link was for"


@pytest.mark.parametrize(
    ("user", "address", "status", "says"),
    [
        ("lea", lambda: "/acknowledge/made-up", 404, "not one of ours"),
        ("lea", lambda: link("2026-03-01 09:00"), 404, "has expired"),
        ("vic", link, 403, "may look, not act"),
    ],
)
def test_a_link_that_is_no_good_says_why(
    browser: Browser, asked: Engine, user: str, address: Callable[[], str], status: int, says: str
) -> None:
    answer = browser(user).get(address())
    assert (answer.status_code, says in answer.text) == (status, True)
    assert browser(user).post(address(), data={"key": "made-up"}).status_code == 403
    assert acknowledged(asked) == []
