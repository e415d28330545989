"""The support pages in a real browser, on Airflow's own api-server with the plugin loaded.

Screenshots of every page are left in `.artefacts/`.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from chromium import assert_everybody_can_read_it, launched, needs_chromium, screenshot
from desk import TICKET, UNDECIDED, USERS, desk, happened, passwords, token
from landing import ORDER
from playwright.sync_api import Browser, Page, Request, expect

from amazon_support.local import LocalStack

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    needs_chromium,
]

TREND = "/health/trend?account=main&marketplace=DE&metric=late_shipment_rate"
PAGES = {
    "worklist": "/worklist",
    "tickets": "/tickets",
    "ticket": f"/tickets/main/{TICKET}",
    "undecided": f"/tickets/main/{UNDECIDED}",
    "mail": "/mail",
    "cases": "/cases",
    "search": "/search?q=nothing",
    "levels": "/levels?days=7",
    "behind a figure": "/levels/tickets?days=7",
    "feedback": "/feedback",
    "health": "/health",
    "trend": TREND,
    "error": "/tickets/main/nothing-of-that-name",
    "pipeline": "/pipeline",
    "settings": "/settings",
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    users = ",".join(f"{name}:viewer" for name in USERS)
    with desk(tmp_path_factory.mktemp("desk"), {"AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": users}) as stack:
        yield stack


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


Visit = Callable[..., Page]


@pytest.fixture
def visit(stack: LocalStack, chromium: Browser) -> Iterator[Visit]:
    """`visit("ana", "/worklist")`: that page as ana sees it, who is signed in."""
    contexts = []

    def page(user: str, path: str, **options: object) -> Page:
        context = chromium.new_context(**options)
        contexts.append(context)
        signed_in = token(stack, user, passwords(stack)[user])
        context.add_cookies([{"name": "_token", "value": signed_in, "url": stack.airflow_url}])
        opened = context.new_page()
        opened.goto(f"{stack.airflow_url}/support{path}")
        return opened

    yield page
    for context in contexts:
        context.close()


# ---------- getting in


def test_whoever_is_not_signed_in_is_led_to_the_sign_in_and_back(stack: LocalStack, chromium: Browser) -> None:
    page = chromium.new_page()
    page.goto(f"{stack.airflow_url}/support/worklist")
    assert "/auth/login" in page.url
    page.get_by_label("Username").fill("ana")
    page.get_by_label("Password").fill(passwords(stack)["ana"])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Worklist")).to_be_visible()
    assert page.url.endswith("/support/worklist")
    page.close()


def test_what_each_role_sees(visit: Visit) -> None:
    path = f"/tickets/main/{TICKET}"
    expect(visit("ana", path).get_by_text("Mia Muster").first).to_be_visible()
    expect(visit("lea", path).get_by_text("Mia Muster").first).to_be_visible()
    expect(visit("bo", path).get_by_text("of a marketplace of other agents")).to_be_visible()
    seen_by_viewer = visit("vic", path)
    expect(seen_by_viewer.get_by_text("Words of buyers are shown to agents and leads")).to_be_visible()
    expect(seen_by_viewer.get_by_text("Mia Muster")).to_have_count(0)
    expect(seen_by_viewer.get_by_role("button", name="Solve")).to_have_count(0)


# ---------- working


def test_from_the_worklist_to_a_ticket_by_keyboard(visit: Visit) -> None:
    page = visit("ana", "/worklist")
    expect(page.locator("time[data-due]").filter(has_text="left").first).to_be_visible()
    first = page.locator("table.list tbody tr a").first.inner_text()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(first)


def test_the_list_is_narrowed_by_what_stands_in_its_address(visit: Visit) -> None:
    page = visit("lea", "/tickets")
    page.get_by_label("Marketplace").select_option("US")
    page.get_by_role("button", name="Show").click()
    assert "marketplace=US" in page.url
    expect(page.locator("table.list tbody tr")).to_have_count(1)
    expect(page.get_by_label("Marketplace")).to_have_value("US")


def test_an_order_is_found(visit: Visit) -> None:
    page = visit("lea", "/worklist")
    page.keyboard.press("/")
    page.keyboard.type(ORDER)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(TICKET)


def test_taking_a_ticket_shows_at_once_and_is_a_fact(visit: Visit, stack: LocalStack) -> None:
    page = visit("ana", f"/tickets/main/{TICKET}")
    page.get_by_role("button", name="Take it").click()
    expect(page.get_by_text("With Ana Lima")).to_be_visible()
    expect(page.locator(".timeline li").first).to_contain_text("Assign Ana Lima")
    assert ("assign", "ana") in happened(stack)


def test_what_cannot_be_done_says_why(visit: Visit) -> None:
    page = visit("lea", f"/tickets/main/{TICKET}")
    page.get_by_text("Assign, hold, change type").click()
    page.get_by_label("Order").fill("12")
    page.get_by_role("button", name="Attach").click()
    expect(page.get_by_text("12 is no order id")).to_be_visible()


def test_a_view_of_the_worklist_is_kept_and_found_again(visit: Visit) -> None:
    page = visit("lea", "/worklist")
    page.get_by_label("Marketplace").select_option("DE")
    page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_text("Keep this view").click()
    page.get_by_label("Name").fill("Germany")
    page.get_by_role("button", name="Keep what is shown").click()
    page.get_by_role("link", name="Show all").click()
    page.get_by_role("link", name="Germany").click()
    assert "marketplace=DE" in page.url
    page.get_by_role("link", name="Time left").first.click()
    assert "sort=-due" in page.url


def test_enter_in_a_field_puts_on_hold_and_does_not_solve(visit: Visit, stack: LocalStack) -> None:
    page = visit("ana", f"/tickets/main/{TICKET}")
    page.get_by_text("Assign, hold, change type").click()
    page.get_by_label("Wait for").fill("carrier")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Done: hold, carrier.")
    expect(page.locator("main .status").first).to_have_text("on hold")
    assert happened(stack)[-1] == ("hold", "ana")


def test_what_is_nearly_late_is_seen_to_from_the_ticket(visit: Visit) -> None:
    page = visit("ana", f"/tickets/main/{TICKET}")
    page.get_by_role("button", name="I see to it").click()
    expect(page.get_by_text("Ana Lima sees to it")).to_be_visible()
    expect(page.get_by_role("button", name="I see to it")).to_have_count(0)


def test_a_mail_is_decided_on_the_list_and_a_rule_made_of_it(visit: Visit) -> None:
    page = visit("lea", "/mail")
    letter = page.get_by_role("article", name="Rates")
    letter.get_by_text("Make a rule of it").click()
    expect(letter.get_by_label("Sender")).to_have_value("news@carrier.example")
    letter.get_by_label("It is").last.select_option("amazon_information")
    letter.get_by_role("button", name="Decide so, now and from now on").click()
    expect(page.get_by_role("article", name="Rates")).to_have_count(0)
    expect(page.get_by_role("cell", name="news@carrier.example", exact=True)).to_be_visible()


def test_a_plan_of_action_stands_beside_its_notification(visit: Visit) -> None:
    page = visit("lea", "/health")
    page.get_by_text("Write a plan of action").click()
    page.get_by_label("Plan of action").fill("Send the test report today")
    page.get_by_role("button", name="Add").click()
    expect(page.locator("blockquote").get_by_text("Send the test report today")).to_be_visible()


def test_times_say_exactly_when_and_in_which_zone(visit: Visit) -> None:
    page = visit("ana", f"/tickets/main/{TICKET}")
    titles = page.locator("main time").evaluate_all("all => all.map(time => time.title)")
    assert titles
    assert all(title.endswith(" UTC") for title in titles)


def test_the_pages_stand_within_airflows_own(visit: Visit, stack: LocalStack) -> None:
    page = visit("ana", "/worklist")
    page.goto(f"{stack.airflow_url}/plugin/support")
    within = page.frame_locator("iframe")
    expect(within.get_by_role("heading", name="Worklist")).to_be_visible(timeout=60_000)


# ---------- keeping harm out


def test_a_form_from_another_site_changes_nothing(visit: Visit, stack: LocalStack, tmp_path: Path) -> None:
    before = happened(stack)
    page = visit("ana", "/worklist")
    forged = tmp_path / "forged.html"
    action = f"{stack.airflow_url}/support/tickets/main/{TICKET}"
    forged.write_text(
        f'<form method="post" action="{action}"><input name="key" value="x"><input name="action" value="solve"></form>'
        "<script>document.forms[0].submit()</script>"
    )
    with page.expect_response(lambda answer: answer.request.method == "POST") as sent:
        page.goto(forged.as_uri())
    assert sent.value.status in (303, 401, 403)
    assert happened(stack) == before


def test_a_hostile_mail_is_words_and_nothing_else(visit: Visit, stack: LocalStack) -> None:
    page = visit("ana", "/worklist")
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(str(urlsplit(request.url).hostname))

    page.on("request", note)
    page.goto(f"{stack.airflow_url}/support/tickets/main/{TICKET}")
    expect(page.get_by_text("window.hacked = 1").first).to_be_visible()
    page.wait_for_timeout(300)  # for what a hostile page would do by itself
    assert page.evaluate("window.hacked") is None
    assert set(asked) == {"127.0.0.1"}
    assert page.locator("blockquote script, blockquote form, blockquote svg, blockquote img").count() == 0
    assert page.url.endswith(TICKET.replace("#", "%23"))


# ---------- how it looks


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1600])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_can_be_read_by_everybody(visit: Visit, name: str, width: int, scheme: str) -> None:
    page = visit("lea", PAGES[name], viewport={"width": width, "height": 900}, color_scheme=scheme)
    screenshot(page, f"{name}_{width}_{scheme}")
    assert_everybody_can_read_it(page)


def test_figures_are_drawn_and_stand_below_as_a_table(visit: Visit) -> None:
    page = visit("lea", "/levels?days=7")
    chart = page.get_by_role("img", name="Share met and backlog by day")
    expect(chart).to_be_visible()
    drawn = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(Boolean)"
    assert chart.evaluate(drawn)
    expect(page.locator("table[data-title='Share met and backlog by day'] tbody tr").first).to_be_visible()
