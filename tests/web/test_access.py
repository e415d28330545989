"""Who may see what: every page asks, and whoever is shown personal data is on record."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from ticket_histories import KEY, fold
from visitors import Browser

from amazon_support.web import app

PAGES = [
    *("/worklist", "/tickets", "/mail", "/cases", "/levels", "/feedback", "/health", "/pipeline", "/search"),
    f"/tickets/main/{KEY}",
]
ASKED = ("2026-03-10 08:00", "buyer_message")


def views(warehouse: Engine) -> list[tuple[str, ...]]:
    with warehouse.connect() as connection:
        query = "select visitor, page, account, subject from ops.personal_data_view order by view_id"
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def test_no_route_but_that_for_monitors_is_open_to_whoever_is_not_signed_in() -> None:
    anonymous = TestClient(app, headers={"accept": "application/json"})
    routes = [(getattr(route, "path", ""), method) for route in app.routes for method in getattr(route, "methods", ())]
    routes = [(path, method) for path, method in routes if path != "/healthz"]
    assert len(routes) > len(PAGES)
    for path, method in routes:
        asked = path.replace("{account}", "main").replace("{ticket_id:path}", KEY).replace("{name}", "support.css")
        assert anonymous.request(method, asked).status_code == 401, (method, path)


@pytest.mark.parametrize("page", PAGES)
def test_a_user_whom_access_yaml_does_not_name_sees_nothing(browser: Browser, page: str) -> None:
    answer = browser("stranger").get(page)
    assert answer.status_code == 403
    assert "stranger has no access to the support pages. A lead can add it to access.yaml." in answer.text


@pytest.mark.parametrize("page", PAGES[:-1])
@pytest.mark.parametrize("user", ["ana", "lea", "vic"])
def test_every_page_is_there_on_an_empty_warehouse(browser: Browser, user: str, page: str) -> None:
    answer = browser(user).get(page)
    assert answer.status_code == 200
    assert 'class="empty"' in answer.text


@pytest.mark.parametrize(("user", "status"), [("ana", 403), ("vic", 403), ("lea", 200)])
def test_only_leads_see_the_settings(browser: Browser, user: str, status: int) -> None:
    answer = browser(user).get("/settings")
    assert answer.status_code == status
    assert ("policy.yaml" in answer.text) == (status == 200)
    assert ('/settings">Settings' in browser(user).get("/worklist").text) == (status == 200)


def test_every_answer_keeps_foreign_content_out(browser: Browser) -> None:
    for page in (*PAGES, "/static/support.js", "/nothing-here"):
        headers = browser("lea").get(page).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(("user", "status"), [("ana", 200), ("bo", 403), ("lea", 200), ("vic", 200)])
def test_an_agent_sees_the_tickets_of_the_own_marketplaces(
    browser: Browser, warehouse: Engine, user: str, status: int
) -> None:
    with warehouse.begin() as connection:
        fold(connection, ASKED)
    assert browser(user).get(f"/tickets/main/{KEY}").status_code == status


def test_an_agent_sees_what_is_assigned_to_it_wherever_it_is(browser: Browser, warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        fold(connection, ASKED, ("2026-03-10 09:00", "assign", {"actor": "lea", "detail": {"agent": "Bo Berg"}}))
    assert browser("bo").get(f"/tickets/main/{KEY}").status_code == 200


def test_an_agent_sees_what_is_assigned_to_somebody_of_the_own_team(browser: Browser, warehouse: Engine) -> None:
    given_to_sam = ("2026-03-10 09:00", "assign", {"actor": "lea", "detail": {"agent": "Sam Sol"}})
    with warehouse.begin() as connection:
        fold(connection, ASKED, given_to_sam)
    assert browser("bo").get(f"/tickets/main/{KEY}").status_code == 200
    assert KEY in browser("bo").get("/tickets").text
    assert browser("bo").get(f"/search?q={KEY}", follow_redirects=False).status_code == 307


def test_whoever_is_shown_words_of_buyers_is_on_record_and_a_viewer_is_shown_none(
    browser: Browser, warehouse: Engine
) -> None:
    with warehouse.begin() as connection:
        fold(connection, (*ASKED, {"source": "mail", "source_id": "m1"}))
        connection.exec_driver_sql(
            "insert into core.mail (account, mail_id, mailbox, folder, kind, confidence, signals, direction, order_ids,"
            " sent_at, received_at, attachment_count, archived_as, ticket_key) values"
            " ('main', 'm1', 'box', 'INBOX', 'buyer_message', 1, '{}', 'in', '{}', '2026-03-10 08:00Z',"
            " '2026-03-10 08:00Z', 0, 'x', %(key)s)",
            {"key": KEY},
        )
        connection.exec_driver_sql(
            "insert into pii.mail (account, mail_id, subject, buyer_name, buyer_alias, body, attachments) values"
            " ('main', 'm1', 'My tea pot', 'Jo Doe', 'jo@marketplace.amazon.de',"
            " 'The lid is broken <script>alert(1)</script>', '[]')"
        )
    assert "lid is broken" not in browser("vic").get(f"/tickets/main/{KEY}").text
    assert views(warehouse) == []
    shown = browser("ana").get(f"/tickets/main/{KEY}").text
    assert "The lid is broken &lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert views(warehouse) == [("ana", "ticket", "main", KEY)]
    found = browser("ana").get("/search", params={"q": "lid broken"}, follow_redirects=False)
    assert found.headers["location"].endswith(f"/tickets/main/{KEY}")
    assert views(warehouse)[-1] == ("ana", "search", "", "search")
    assert "No ticket for" in browser("vic").get("/search", params={"q": "lid broken"}).text
    assert "No ticket for" in browser("bo").get("/search", params={"q": "lid broken"}).text
