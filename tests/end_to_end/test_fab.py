"""The support pages where Airflow's users are those of the FAB auth manager, in a real browser."""

import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from chromium import launched, needs_chromium
from desk import TICKET, USERS, desk, happened, token
from playwright.sync_api import Browser, expect

from amazon_support.local import LocalStack

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
]

FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
PASSWORD = "a password of the tests"
PAGE = f"/support/tickets/main/{TICKET}"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    with desk(tmp_path_factory.mktemp("fab"), {"AIRFLOW__CORE__AUTH_MANAGER": FAB}) as stack:
        _add_users(stack)
        yield stack


def _add_users(stack: LocalStack) -> None:
    """An administrator by Airflow's command line, the others by its API."""
    who = ["--firstname", "Root", "--lastname", "Root", "--email", "root@shop.example", "--role", "Admin"]
    command = ["users", "create", "--username", "root", "--password", PASSWORD, *who]
    assert stack.spawn("users", [sys.executable, "-m", "airflow", *command]).wait(240) == 0
    bearer = {"Authorization": f"Bearer {token(stack, 'root', PASSWORD)}"}
    for name in (*USERS, "stranger"):
        user = {"username": name, "password": PASSWORD, "first_name": name, "last_name": name}
        user |= {"email": f"{name}@shop.example", "roles": [{"name": "Viewer"}]}
        url = f"{stack.airflow_url}/auth/fab/v1/users"
        httpx.post(url, json=user, headers=bearer, timeout=60).raise_for_status()


@pytest.fixture(scope="module")
def tokens(stack: LocalStack) -> dict[str, str]:
    return {name: token(stack, name, PASSWORD) for name in (*USERS, "stranger")}


def ask(stack: LocalStack, user_token: str | None, path: str, **given: Any) -> httpx.Response:
    """As a browser that has the cookie of Airflow's sign-in."""
    cookies = {"_token": user_token} if user_token else {}
    method = "POST" if "data" in given else "GET"
    headers = {"accept": "text/html", **given.pop("headers", {})}
    with httpx.Client(base_url=stack.airflow_url, cookies=cookies, headers=headers, timeout=60) as client:
        return client.request(method, path, **given)


@needs_chromium
def test_whoever_signs_in_by_fabs_form_is_led_back_to_the_page(stack: LocalStack) -> None:
    with launched() as chromium:
        page = _signed_in(chromium, stack, "ana")
        expect(page.get_by_role("heading", name="Worklist")).to_be_visible()
        expect(page.get_by_text("ana, agent")).to_be_visible()


def _signed_in(chromium: Browser, stack: LocalStack, user: str) -> Any:
    page = chromium.new_page()
    page.goto(f"{stack.airflow_url}/support/worklist")
    assert "/auth/login" in page.url
    page.locator("input[name=username]").fill(user)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("input[type=submit], button[type=submit]").first.click()
    page.wait_for_url("**/support/worklist")
    return page


@pytest.mark.parametrize("path", ["worklist", "mail", "static/support.css", "api/worklist", "api/events", "nothing"])
def test_no_route_is_open_to_whoever_is_not_signed_in(stack: LocalStack, path: str) -> None:
    answer = ask(stack, None, f"/support/{path}", headers={"accept": "application/json"})
    assert answer.status_code in (401, 404), answer.text
    assert path == "nothing" or answer.status_code == 401


@pytest.mark.parametrize(
    ("user", "status", "sees_names"),
    [("ana", 200, True), ("bo", 403, False), ("lea", 200, True), ("vic", 200, False), ("stranger", 403, False)],
)
def test_what_each_role_sees(
    stack: LocalStack, tokens: dict[str, str], user: str, status: int, sees_names: bool
) -> None:
    answer = ask(stack, tokens[user], PAGE)
    assert (answer.status_code, "Mia Muster" in answer.text) == (status, sees_names)


def test_a_form_that_these_pages_did_not_make_changes_nothing(stack: LocalStack, tokens: dict[str, str]) -> None:
    answer = ask(stack, tokens["ana"], PAGE, data={"key": "x", "action": "solve"})
    assert answer.status_code == 403
    assert happened(stack) == []


def test_an_action_has_the_name_of_fabs_user(stack: LocalStack, tokens: dict[str, str]) -> None:
    key = ask(stack, tokens["ana"], PAGE).text.split('name="key" value="')[1].split('"')[0]
    assert ask(stack, tokens["lea"], PAGE, data={"key": key, "action": "take"}).status_code == 403
    assert ask(stack, tokens["ana"], PAGE, data={"key": key, "action": "take"}).status_code == 303
    assert happened(stack) == [("assign", "ana")]


def test_programs_come_with_a_bearer_token(stack: LocalStack, tokens: dict[str, str]) -> None:
    bearer = {"Authorization": f"Bearer {tokens['lea']}", "accept": "application/json"}
    answer = ask(stack, None, "/support/api/worklist", headers=bearer)
    assert answer.status_code == 200
    assert answer.json()["items"]
