"""The worklist's page: what is chosen, how it is sorted, and views that somebody keeps."""

import re

import pytest
from sqlalchemy import Engine
from ticket_histories import POLICY, history, moment, record
from visitors import Browser

from amazon_support import settings, tickets
from amazon_support.outputs.worklist import write_worklists

STORIES = {
    "DE:case:1": [("2026-03-10 09:00", "buyer_message")],
    "DE:case:2": [("2026-03-09 08:00", "buyer_message", {"ticket_type": "product_question"})],
    "FR:case:3": [("2026-03-10 05:00", "notice", {"ticket_type": "return_request", "marketplace": "FR"})],
    "US:case:4": [("2026-03-10 06:00", "buyer_message", {"marketplace": "US"})],
}


@pytest.fixture
def written(browser: Browser, warehouse: Engine) -> Engine:
    """Four tickets to work on; DE:case:2 is late."""
    with warehouse.begin() as connection:
        for number, (key, story) in enumerate(STORIES.items()):
            events = history(*story, key=key)
            record(connection, [event | {"source_id": f"{number}{event['source_id']}"} for event in events])
        tickets.fold(connection, POLICY)
        write_worklists(connection, settings.load(), as_of=moment("2026-03-10 11:00"))
    return warehouse


def listed(page: str) -> list[str]:
    return re.findall(r'href="/tickets/main/[^"]+">([^<]+)</a>', page)


@pytest.mark.parametrize(
    ("user", "query", "found"),
    [
        ("lea", "", ["DE:case:2", "US:case:4", "DE:case:1", "FR:case:3"]),
        ("lea", "sort=-due", ["DE:case:1", "US:case:4", "DE:case:2", "FR:case:3"]),
        ("lea", "sort=marketplace", ["DE:case:2", "DE:case:1", "US:case:4", "FR:case:3"]),
        ("lea", "sort=-type", ["DE:case:2", "US:case:4", "DE:case:1", "FR:case:3"]),
        ("lea", "marketplace=DE&ticket_type=product_question", ["DE:case:2"]),
        ("lea", "section=claims_returns_cancellations", ["FR:case:3"]),
        ("lea", "status=open", []),
        ("lea", "account=other", []),
        ("lea", "agent=Bo+Berg", ["US:case:4"]),
        ("lea", "team=overseas", ["DE:case:2", "US:case:4", "DE:case:1", "FR:case:3"]),  # US is of two of them
        ("ana", "", ["DE:case:2", "DE:case:1", "FR:case:3"]),
        ("ana", "agent=Bo+Berg", ["DE:case:2", "DE:case:1", "FR:case:3"]),  # of another team: the own list
        ("bo", "", ["US:case:4"]),
    ],
)
def test_what_is_chosen_is_listed_in_the_order_asked_for(
    browser: Browser, written: Engine, user: str, query: str, found: list[str]
) -> None:
    assert listed(browser(user).get(f"/worklist?{query}").text) == found


def test_the_file_has_what_the_page_has(browser: Browser, written: Engine) -> None:
    answer = browser("lea").get("/worklist?marketplace=DE&sort=-due&format=csv")
    heading, *lines = answer.content.decode("utf-8-sig").splitlines()
    at = heading.split(",").index("ticket_id")
    assert [line.split(",")[at] for line in lines] == ["DE:case:1", "DE:case:2"]
    assert not {"position", "is_new", "words"} & set(heading.split(",")), "which no list of now has"


def test_what_is_too_much_for_a_page_stands_on_the_next(
    browser: Browser, written: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amazon_support.web.worklist.A_PAGE", 3)
    page = browser("lea").get("/worklist").text
    assert listed(page) == ["DE:case:2", "US:case:4", "DE:case:1"]
    assert "4 to do" in page
    following = re.search(r'href="([^"]+)">The next of them', page)
    assert following
    page = browser("lea").get(following[1].replace("&amp;", "&")).text
    assert (listed(page), "The next of them" in page) == (["FR:case:3"], False)


def test_headings_lead_to_the_other_order_and_say_which_it_is(browser: Browser, written: Engine) -> None:
    page = browser("lea").get("/worklist?marketplace=DE").text
    assert '<th aria-sort="ascending"><a href="/worklist?marketplace=DE&amp;sort=-due">Time left ↑' in page
    page = browser("lea").get("/worklist?marketplace=DE&sort=-due").text
    assert '<th aria-sort="descending"><a href="/worklist?marketplace=DE">Time left ↓' in page


@pytest.mark.parametrize(("query", "says"), [("account=other", "Nothing to do fits this choice."), ("", "1 late")])
def test_it_says_what_there_is(browser: Browser, written: Engine, query: str, says: str) -> None:
    assert says in browser("lea").get(f"/worklist?{query}").text


def test_a_choice_that_is_none_says_what_was_expected(browser: Browser, written: Engine) -> None:
    answer = browser("lea").get("/worklist?sort=colour")
    assert (answer.status_code, "sort: Input should be" in answer.text) == (422, True)


# ---------- views


def views_key(browser: Browser, user: str, page: str = "worklist") -> str:
    found = re.search(r'/views">\s*<input type="hidden" name="key" value="([^"]+)"', browser(user).get(f"/{page}").text)
    assert found
    return found[1]


@pytest.mark.parametrize("page", ["worklist", "tickets"])
def test_a_view_is_kept_under_a_name_found_again_replaced_and_forgotten(
    browser: Browser, written: Engine, page: str
) -> None:
    view = {"page": page, "name": "Germany", "query": "marketplace=DE"}
    answer = browser("lea").post("/views", data={"key": views_key(browser, "lea", page), **view})
    assert str(answer.url).endswith(f"/{page}?marketplace=DE")
    assert f'href="/{page}?marketplace=DE" aria-current="true">Germany' in answer.text
    assert "Germany" not in browser("ana").get(f"/{page}").text, "views are one's own"
    changed = view | {"query": "marketplace=DE&status=new", "key": views_key(browser, "lea", page)}
    assert "marketplace=DE&amp;status=new" in browser("lea").post("/views", data=changed).text
    gone = {**view, "action": "forget", "key": views_key(browser, "lea", page)}
    assert "Germany" not in browser("lea").post("/views", data=gone).text


@pytest.mark.parametrize(
    ("given", "status"),
    [({"name": " "}, 422), ({"page": "pipeline"}, 422), ({"key": "made-up"}, 403), ({"name": "x" * 61}, 422)],
)
def test_a_view_that_cannot_be_kept_is_not(
    browser: Browser, written: Engine, given: dict[str, str], status: int
) -> None:
    data = {"key": views_key(browser, "lea"), "page": "worklist", "name": "Mine", "query": "", **given}
    assert browser("lea").post("/views", data=data).status_code == status
    with written.connect() as connection:
        assert connection.exec_driver_sql("select count(*) from ops.page_view").scalar() == 0
