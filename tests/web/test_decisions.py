"""What people decide on the ticket page: follow-up tickets, two tickets that are one, black-listed buyers, what a mail
is."""

import re
from collections.abc import Sequence
from typing import Any

import pytest
from landing import ORDER, land_some_mail, let_pass, mail, named
from sqlalchemy import Connection, Engine
from ticket_histories import KEY, POLICY, fold, history, moment, record
from visitors import Browser

from amazon_support import settings, tickets
from amazon_support.warehouse.land import publish_mail

PAGE = f"/tickets/main/{KEY}"
CLOSED = [
    ("2026-01-05 08:00", "buyer_message", {"order_id": ORDER, "buyer_ref": "b1"}),
    ("2026-01-05 09:00", "solve"),
]


def do(browser: Browser, page: str, action: str, key: str = "", **given: str) -> Any:
    found = re.search(r'name="key" value="([^"]+)"', browser("ana").get(page).text) if not key else None
    return browser("ana").post(page, data={"key": found[1] if found else key, "action": action, **given})


def form_key(browser: Browser, page: str) -> str:
    found = re.search(r'name="key" value="([^"]+)"', browser("ana").get(page).text)
    assert found
    return found[1]


def in_words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def told(engine: Engine, query: str) -> Sequence[Any]:
    with engine.connect() as connection:
        return connection.exec_driver_sql(query).all()


# ---------- follow-up tickets


def test_a_closed_ticket_is_followed_up_once_however_often_it_is_clicked(browser: Browser, warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        fold(connection, *CLOSED)
    key = form_key(browser, PAGE)
    for _ in range(2):
        answer = do(browser, PAGE, "follow_up", key)
        assert answer.url.path == f"{PAGE}#2"
    assert "new since" in in_words(answer.text)
    assert "follows DE:order" in in_words(answer.text)
    query = "select generation, ticket_type, order_id, buyer_ref, follow_up_of from mart.ticket order by generation"
    assert told(warehouse, query)[1] == (2, "contact_buyer", ORDER, "b1", KEY)
    assert told(warehouse, "select count(*) from mart.sla_clock where ticket_id like '%%#2'") == [(0,)], "nobody asked"


def test_what_cannot_be_followed_up_says_why(browser: Browser, warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        fold(connection, *CLOSED)
    do(browser, PAGE, "follow_up")
    again = do(browser, PAGE, "follow_up")
    assert (again.status_code, "There is a follow-up ticket already" in again.text) == (409, True)
    too_early = do(browser, f"{PAGE}%232", "follow_up")
    assert (too_early.status_code, "can still be worked on" in too_early.text) == (409, True)
    assert told(warehouse, "select count(*) from core.ticket_event where source = 'page'") == [(1,)]


# ---------- two tickets that are one


def test_two_tickets_become_one_and_old_links_lead_there(browser: Browser, warehouse: Engine) -> None:
    other = "DE:case:77"
    with warehouse.begin() as connection:
        fold(connection, ("2026-03-10 08:00", "buyer_message"))
        fold(connection, ("2026-03-10 09:00", "buyer_message", {"ticket_key": other, "source_id": "c1"}))
    answer = do(browser, f"/tickets/main/{other}", "merge", into=KEY)
    assert answer.url.path == PAGE
    assert in_words(answer.text).count("Buyer message") == 2
    assert browser("ana").get(f"/tickets/main/{other}").url.path == PAGE


def test_only_tickets_that_the_visitor_sees_can_become_one(browser: Browser, warehouse: Engine) -> None:
    us = {"ticket_key": "US:case:1", "marketplace": "US", "source_id": "u1"}
    with warehouse.begin() as connection:
        fold(connection, ("2026-03-10 08:00", "buyer_message"))
        fold(connection, ("2026-03-10 09:00", "buyer_message", us))
    assert do(browser, PAGE, "merge", into="US:case:1").status_code == 403
    assert do(browser, PAGE, "merge", into="DE:case:none").status_code == 404
    assert do(browser, PAGE, "merge", into=KEY).status_code == 409
    assert told(warehouse, "select count(*) from core.ticket_event where source = 'page'") == [(0,)]


# ---------- black-listed buyers


@pytest.mark.parametrize(("scope", "elsewhere"), [("account", False), ("everywhere", True)])
def test_a_black_listed_buyer_is_told_apart_on_every_ticket(
    browser: Browser, warehouse: Engine, scope: str, elsewhere: bool
) -> None:
    wrote = ("2026-03-10 08:00", "buyer_message", {"buyer_ref": "b1"})
    with warehouse.begin() as connection:
        record(connection, history(wrote, account="two"))
        fold(connection, wrote)
    assert "Black-listed" not in browser("ana").get(PAGE).text
    assert "Black-listed" in do(browser, PAGE, "black_list", scope=scope).text
    assert ("Black-listed" in browser("ana").get(PAGE.replace("main", "two")).text) is elsewhere
    late = browser("ana", moment("2026-03-10 12:01"))
    given = {"key": form_key(browser, PAGE), "action": "black_list_end", "scope": scope}
    assert "Black-listed" not in late.post(PAGE, data=given).text


def test_nobody_in_particular_cannot_be_black_listed(browser: Browser, warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        fold(connection, ("2026-03-10 08:00", "buyer_message"))
    answer = do(browser, PAGE, "black_list", scope="account")
    assert (answer.status_code, "No buyer is known of this ticket." in answer.text) == (409, True)
    assert do(browser, PAGE, "black_list", scope="planet").status_code == 422


# ---------- what a mail is


def arrived(connection: Connection, *mails: Any) -> None:
    land_some_mail(connection, *mails)
    let_pass(connection)
    publish_mail(connection, settings.load())
    tickets.fold(connection, POLICY)


UNDECIDED = f"-:mail:{named('odd')[:16]}"
ODD = mail("odd", "unknown", at=moment("2026-03-10 08:00"), order_ids=[ORDER], marketplace=None)
UNDECIDED_PAGE = f"/tickets/main/{UNDECIDED}"


def decide(browser: Browser, kind: str, page: str = UNDECIDED_PAGE, user: str = "lea", key: str = "") -> Any:
    key = key or re.search(r'name="key" value="([^"]+)"', browser(user).get(page).text)[1]  # type: ignore[index]
    return browser(user).post(
        page, data={"key": key, "action": "decide_mail", "mail_id": named("odd"), "mail_kind": kind}
    )


def test_a_mail_that_is_a_buyers_goes_to_the_orders_ticket_and_starts_its_clock(
    browser: Browser, warehouse: Engine
) -> None:
    with warehouse.begin() as connection:
        arrived(connection, mail("first", at=moment("2026-03-09 08:00"), order_ids=[ORDER]), ODD)
    answer = decide(browser, "buyer_message")
    assert answer.url.path == PAGE
    assert "Decide mail buyer message" in in_words(answer.text)
    assert told(warehouse, "select ticket_id, event_count from mart.ticket") == [(KEY, 4)], "two mails, decided, merged"
    assert browser("lea").get(UNDECIDED_PAGE).url.path == PAGE


def test_what_was_done_before_goes_with_the_mail(browser: Browser, warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        arrived(connection, ODD)
    key = form_key_of_lea(browser)
    browser("lea").post(UNDECIDED_PAGE, data={"key": key, "action": "note", "words": "Looks like a buyer"})
    answer = decide(browser, "buyer_message")
    assert answer.url.path == f"/tickets/main/-:order:{ORDER}"
    assert "Looks like a buyer" in answer.text


def form_key_of_lea(browser: Browser) -> str:
    found = re.search(r'name="key" value="([^"]+)"', browser("lea").get(UNDECIDED_PAGE).text)
    assert found
    return found[1]


def test_a_double_click_decides_once(browser: Browser, warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        arrived(connection, ODD)
    key = form_key_of_lea(browser)
    for _ in range(2):
        assert decide(browser, "return_request", key=key).status_code == 200
    assert told(warehouse, "select kind, decided_by from core.mail_decision") == [("return_request", "lea")]


def test_a_mail_that_is_only_filed_leaves_a_solved_ticket_and_can_be_decided_anew(
    browser: Browser, warehouse: Engine
) -> None:
    with warehouse.begin() as connection:
        arrived(connection, ODD)
    answer = decide(browser, "order_notice")
    assert (answer.url.path, "solved since" in in_words(answer.text)) == (UNDECIDED_PAGE, True)
    assert told(warehouse, "select kind, confidence, signals from core.mail") == [
        ("order_notice", 1.0, ["header:type", "decided by a person"])
    ]


def test_rules_that_read_the_mail_again_do_not_overrule_a_person(browser: Browser, warehouse: Engine) -> None:
    from amazon_support.warehouse.land import land_reread, publish_reread

    with warehouse.begin() as connection:
        arrived(connection, ODD)
    decide(browser, "buyer_message")
    place = {"mailbox": "imap_default", "folder": "INBOX", "uid_validity": 1}
    with warehouse.begin() as connection:
        land_reread(connection, account="main", rows=[(place, ODD)], buyer_key="key")
        let_pass(connection)
        publish_reread(connection, settings.load())
        tickets.fold(connection, POLICY)
    assert told(warehouse, "select kind from core.mail") == [("buyer_message",)]
    assert told(warehouse, "select ticket_type from mart.ticket") == [("contact_buyer",)]


def test_only_a_mail_of_the_ticket_and_a_kind_that_exists_can_be_decided(browser: Browser, warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        arrived(connection, ODD)
    assert decide(browser, "love_letter").status_code == 422
    key = form_key_of_lea(browser)
    given = {"key": key, "action": "decide_mail", "mail_id": "0" * 64, "mail_kind": "buyer_message"}
    assert browser("lea").post(UNDECIDED_PAGE, data=given).status_code == 422
    assert told(warehouse, "select count(*) from core.mail_decision") == [(0,)]
