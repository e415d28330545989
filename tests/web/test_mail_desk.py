"""Mail to decide, and the rules that leads make of what they decide."""

import re
from collections.abc import Sequence
from typing import Any

import pytest
from landing import ORDER, land_some_mail, let_pass, mail, named
from sqlalchemy import Engine
from ticket_histories import POLICY, moment
from visitors import Browser

from amazon_support import settings, tickets
from amazon_support.warehouse.land import publish_mail

CARRIER = {"sender": "news@carrier.example", "marketplace": None, "order_ids": []}
LETTER = mail("letter", "unknown", moment("2026-03-10 08:00"), subject="Your parcels this week", **CARRIER)
SECOND = mail("second", "unknown", moment("2026-03-10 09:00"), subject="Rates of the year", **CARRIER)
OTHER = mail("other", "unknown", moment("2026-03-10 10:00"), sender="a@shop.example", marketplace=None, subject="Hello")


def ticket_of(name: str) -> str:
    return f"-:mail:{named(name)[:16]}"


def arrived(engine: Engine, *mails: Any) -> None:
    with engine.begin() as connection:
        land_some_mail(connection, *mails)
        let_pass(connection)
        publish_mail(connection, settings.load())
        tickets.fold(connection, POLICY)


def told(engine: Engine, query: str) -> Sequence[Any]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def kinds(engine: Engine) -> dict[str, str]:
    return dict(told(engine, "select w.subject, m.kind from core.mail m join pii.mail w using (account, mail_id)"))


def listed(page: str) -> list[str]:
    return re.findall(r'<h2 id="mail-\d+">([^<]+)</h2>', page)


def do(browser: Browser, name: str, action: str, user: str = "lea", key: str = "", **given: str) -> Any:
    place = f"/tickets/main/{ticket_of(name)}"
    if not key:
        found = re.search(r'name="key" value="([^"]+)"', browser(user).get(place).text)
        assert found
        key = found[1]
    data = {"key": key, "action": action, "back": "mail", "mail_id": named(name), **given}
    return browser(user).post(place, data=data)


def test_the_longest_waiting_comes_first_with_its_sender_and_words_on_record(
    browser: Browser, warehouse: Engine
) -> None:
    arrived(warehouse, SECOND, LETTER)
    page = browser("lea").get("/mail").text
    assert listed(page) == ["Your parcels this week", "Rates of the year"]
    assert "news@carrier.example" in page
    assert "Wo ist meine Teekanne?" in page
    views = told(warehouse, "select visitor, page, subject from ops.personal_data_view order by view_id")
    assert sorted(views) == sorted([("lea", "mail", ticket_of("letter")), ("lea", "mail", ticket_of("second"))])


def test_a_viewer_is_told_where_it_lies_and_no_more(browser: Browser, warehouse: Engine) -> None:
    arrived(warehouse, LETTER)
    page = browser("vic").get("/mail").text
    assert listed(page) == ["Mail of imap_default/INBOX"]
    assert "carrier.example" not in page
    assert "<form class=" not in page.replace('<form class="search"', "")


def test_what_is_decided_on_the_list_leaves_it_and_the_list_says_so(browser: Browser, warehouse: Engine) -> None:
    arrived(warehouse, LETTER, OTHER)
    answer = do(browser, "letter", "decide_mail", mail_kind="amazon_information")
    assert answer.url.path == "/mail"
    assert "Done: decide mail, amazon information." in answer.text
    assert listed(answer.text) == ["Hello"]


def test_a_mail_is_given_to_the_ticket_where_it_belongs(browser: Browser, warehouse: Engine) -> None:
    arrived(warehouse, mail("asked", at=moment("2026-03-10 07:00"), order_ids=[ORDER]), LETTER)
    answer = do(browser, "letter", "merge", into=f"DE:order:{ORDER}")
    assert (answer.url.path, listed(answer.text)) == ("/mail", [])
    assert told(warehouse, "select ticket_id from mart.ticket") == [(f"DE:order:{ORDER}",)]


def test_a_reply_that_fits_several_conversations_names_them(browser: Browser, warehouse: Engine) -> None:
    arrived(warehouse, mail("asked", at=moment("2026-03-10 07:00"), order_ids=[ORDER]), LETTER)
    with warehouse.begin() as connection:
        connection.exec_driver_sql(
            "update core.ticket_event set detail = detail || jsonb_build_object('candidates', array[%(key)s::text])"
            " where source_id = %(mail)s",
            {"key": f"DE:order:{ORDER}", "mail": named("letter")},
        )
    page = browser("lea").get("/mail").text
    assert f'aria-label="It belongs to DE:order:{ORDER}"' in page


# ---------- rules


def test_a_rule_decides_what_waits_and_what_will_come(browser: Browser, warehouse: Engine) -> None:
    arrived(warehouse, LETTER, SECOND, OTHER)
    rule = {"mail_kind": "amazon_information", "sender": "@Carrier.example"}
    answer = do(browser, "letter", "make_rule", **rule)
    assert (answer.status_code, listed(answer.text)) == (200, ["Hello"])
    third = mail("third", "unknown", moment("2026-03-10 11:30"), subject="Strike on Monday", **CARRIER)
    arrived(warehouse, third)
    assert kinds(warehouse) == {
        "Your parcels this week": "amazon_information",
        "Rates of the year": "amazon_information",
        "Strike on Monday": "amazon_information",
        "Hello": "unknown",
    }
    assert told(warehouse, "select sender, kind, made_by from pii.mail_rule") == [
        ("@carrier.example", "amazon_information", "lea")
    ]
    now = "from_at <= '2026-03-10 12:00Z' and until_at > '2026-03-10 12:00Z'"
    assert told(warehouse, f"select status from mart.ticket_status where {now} order by 1") == [
        ("new",),
        ("solved",),
        ("solved",),
    ], "what will come makes no ticket"


def test_a_rule_by_a_phrase_of_the_subject_makes_typed_tickets(browser: Browser, warehouse: Engine) -> None:
    arrived(warehouse, OTHER)
    do(browser, "other", "make_rule", mail_kind="chargeback", phrase="DISPUTED payment")
    arrived(warehouse, mail("third", "unknown", subject="A disputed payment of order 5", order_ids=[ORDER]))
    assert kinds(warehouse) == {"Hello": "unknown", "A disputed payment of order 5": "chargeback"}
    assert ("chargeback",) in told(warehouse, "select ticket_type from mart.ticket")


def test_what_mail_rules_yaml_knows_is_not_for_peoples_rules(browser: Browser, warehouse: Engine) -> None:
    arrived(warehouse, LETTER)
    do(browser, "letter", "make_rule", mail_kind="amazon_information", phrase="parcels")
    arrived(warehouse, mail("asked", at=moment("2026-03-10 11:00"), subject="Where are my parcels?", order_ids=[ORDER]))
    assert kinds(warehouse)["Where are my parcels?"] == "buyer_message"


def test_a_double_click_makes_one_rule(browser: Browser, warehouse: Engine) -> None:
    arrived(warehouse, LETTER)
    found = re.search(r'name="key" value="([^"]+)"', browser("lea").get(f"/tickets/main/{ticket_of('letter')}").text)
    assert found
    for _ in range(2):
        given = {"mail_kind": "amazon_information", "sender": "news@carrier.example", "key": found[1]}
        assert do(browser, "letter", "make_rule", **given).status_code == 200
    assert told(warehouse, "select count(*) from pii.mail_rule") == [(1,)]
    assert told(warehouse, "select count(*) from core.mail_decision") == [(1,)]


def test_a_rule_that_was_ended_is_for_what_came_before(browser: Browser, warehouse: Engine) -> None:
    arrived(warehouse, LETTER)
    do(browser, "letter", "make_rule", mail_kind="amazon_information", sender="news@carrier.example")
    page = browser("lea").get("/mail").text
    key = re.search(r'action="/mail/rules"><input type="hidden" name="key" value="([^"]+)"', page)
    assert key
    rule = re.search(r'name="rule_id" value="(\d+)"', page)
    assert rule
    for _ in range(2):
        data = {"key": key[1], "account": "main", "rule_id": rule[1]}
        assert browser("lea").post("/mail/rules", data=data).status_code == 200
    before = mail("late", "unknown", moment("2026-03-10 11:00"), subject="Before noon", **CARRIER)
    after = mail("third", "unknown", moment("2026-03-10 13:00"), subject="After noon", **CARRIER)
    arrived(warehouse, before, after)
    assert (kinds(warehouse)["Before noon"], kinds(warehouse)["After noon"]) == ("amazon_information", "unknown")
    assert told(warehouse, "select ended_by from core.mail_rule_end") == [("lea",)]


@pytest.mark.parametrize(
    ("given", "status", "says"),
    [
        ({}, 422, "A rule needs a sender, a phrase of the subject, or both."),
        ({"sender": "carrier"}, 422, "expected an address, or @ and a domain"),
        ({"phrase": "a"}, 422, "less than 4 characters"),
        ({"phrase": "parcels", "mail_kind": "poem"}, 422, "expected one of"),
        ({"phrase": "parcels", "user": "sam"}, 403, "Rules are made and ended by leads."),
    ],
)
def test_a_rule_that_is_none_says_why(
    browser: Browser, warehouse: Engine, given: dict[str, str], status: int, says: str
) -> None:
    arrived(warehouse, LETTER)
    answer = do(browser, "letter", "make_rule", **{"mail_kind": "amazon_information", **given})
    assert (answer.status_code, says in answer.text) == (status, True), answer.text
    assert told(warehouse, "select count(*) from pii.mail_rule") == [(0,)]


def test_a_form_made_for_something_else_ends_no_rule(browser: Browser, warehouse: Engine) -> None:
    arrived(warehouse, LETTER)
    do(browser, "letter", "make_rule", mail_kind="amazon_information", sender="news@carrier.example")
    data = {"key": "made-up", "account": "main", "rule_id": "1"}
    assert browser("lea").post("/mail/rules", data=data).status_code == 403
    assert told(warehouse, "select count(*) from core.mail_rule_end") == [(0,)]


# ---------- imitations


def test_imitations_of_amazon_are_listed_for_leads_without_their_links(browser: Browser, warehouse: Engine) -> None:
    arrived(warehouse, mail("fake", "imitation", subject="Your account http://evil.example"))
    page = browser("lea").get("/mail").text
    assert "Your account http://evil.example" in page
    assert 'href="http' not in page
    assert "evil.example" not in browser("ana").get("/mail").text
