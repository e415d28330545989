"""Who is sent which worklist, what is new on it, and what of a buyer's words is in it."""

import csv
import io
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from output_rows import NOON, ORDER, after, before, event, insert, order, settings, ticket, waiting
from smtp_inbox import Inbox
from sqlalchemy import Connection, Engine, text

from amazon_support.outputs.channels import SmtpTransport
from amazon_support.outputs.items import Worklist
from amazon_support.outputs.messages import GMAIL_LIMIT, worklist_mail
from amazon_support.outputs.outbox import deliver, queue_worklists
from amazon_support.outputs.worklist import beginning, read_lists, read_worklists, with_words, write_worklists
from amazon_support.settings import Agent, Assignment, Policy, Settings

KEY = f"DE:order:{ORDER}"
ANA = Agent(name="Ana Lima", email="ana@shop.example", marketplaces=("DE", "US"))
BO = Agent(name="Bo Berg", email="bo@shop.example", marketplaces=("DE",))
LEA = Agent(name="Lea Long", email="lea@shop.example", marketplaces=("JP",), language="de", timezone="Europe/Berlin")


def team(*, policy: Policy | None = None, **lists: Any) -> Settings:
    """Ana and Bo, led by Lea, who answers Japan herself."""
    assignment = Assignment.model_validate(
        {"teams": [{"name": "europe", "agents": ["Ana Lima", "Bo Berg"], "lead": "Lea Long"}], "lists": lists}
    )
    return settings(ANA, BO, LEA).model_copy(update={"assignment": assignment, "policy": policy or Policy()})


def said(connection: Connection, words: str, key: str = KEY, **changes: Any) -> None:
    """What the buyer of a ticket wrote an hour before noon."""
    mail_id = sha256(f"{key} {words}".encode()).hexdigest()[:16]
    asked: dict[str, Any] = {"kind": "buyer_message", "source_id": mail_id, "actor": "buyer"}
    event(connection, key, changes.pop("at", before(hours=1)), **(asked | changes))
    insert(connection, "pii.mail", account="main", mail_id=mail_id, body=words, attachments="[]")


def shown(connection: Connection, current: Settings | None = None) -> Worklist:
    """The first agent's list with words, as it is mailed."""
    current = current or settings()
    write_worklists(connection, current, as_of=NOON)
    return with_words(connection, current, read_worklists(connection, current, as_of=NOON))[0]


def queued(connection: Connection, current: Settings) -> list[tuple[str, str]]:
    write_worklists(connection, current, as_of=NOON)
    queue_worklists(connection, current, as_of=NOON, pages="https://desk.example/support")
    query = "select recipient, subject from pii.outbox order by outbox_id"
    return [tuple(row) for row in connection.execute(text(query))]  # type: ignore[misc]


# ---------- whose


def test_a_lead_gets_the_teams_list_with_each_item_once(connection: Connection) -> None:
    waiting(connection, KEY, before(hours=25))
    waiting(connection, "US:order:2", before(hours=2))
    waiting(connection, "JP:order:3", before(hours=2))
    assert queued(connection, team()) == [
        ("ana@shop.example", "Worklist 12:00 UTC: 1 late, 0 at risk, 2 in all"),
        ("bo@shop.example", "Worklist 12:00 UTC: 1 late, 0 at risk, 1 in all"),
        ("lea@shop.example", "Arbeitsliste 13:00 CET: 0 überfällig, 0 gefährdet, 1 insgesamt"),
        ("lea@shop.example", "Arbeitsliste des Teams europe 13:00 CET: 1 überfällig, 0 gefährdet, 2 insgesamt"),
    ]
    [of_team] = read_lists(connection, team(), as_of=NOON)
    assert [(i.position, i.ticket_id, i.agents) for i in of_team.items] == [
        (1, KEY, ["Ana Lima", "Bo Berg"]),
        (2, "US:order:2", ["Ana Lima"]),
    ]
    assert "Ana Lima, Bo Berg" in worklist_mail(of_team).plain


def test_desks_and_marketplaces_go_to_whom_the_settings_name(connection: Connection) -> None:
    waiting(connection, KEY, before(hours=2))
    waiting(connection, "JP:order:1", before(hours=2))
    lists = {"desks": {"bqool": ["desk@shop.example"]}, "marketplaces": {"JP": ["tokyo@shop.example", LEA.email]}}
    sent = queued(connection, team(**lists))[-3:]
    assert sent == [
        ("desk@shop.example", "Worklist of the desk bqool 12:00 UTC: 0 late, 0 at risk, 1 in all"),
        ("tokyo@shop.example", "Worklist of the marketplace JP 12:00 UTC: 0 late, 0 at risk, 1 in all"),
        ("lea@shop.example", "Arbeitsliste des Marktplatzes JP 13:00 CET: 0 überfällig, 0 gefährdet, 1 insgesamt"),
    ]


def test_what_no_agent_has_is_on_the_list_of_its_marketplace(connection: Connection) -> None:
    waiting(connection, KEY, before(hours=2))
    current = settings(LEA).model_copy(
        update={"assignment": Assignment.model_validate({"lists": {"marketplaces": {"DE": ["de@shop.example"]}}})}
    )
    assert write_worklists(connection, current, as_of=NOON).uncovered == 1
    [of_germany] = read_lists(connection, current, as_of=NOON)
    assert [(item.ticket_id, item.agents) for item in of_germany.items] == [(KEY, None)]


@pytest.mark.parametrize(("policy", "mails"), [(Policy(), 0), (Policy(send_empty_lists=True), 4)])
def test_the_empty_list_is_sent_only_where_the_settings_say_so(
    connection: Connection, policy: Policy, mails: int
) -> None:
    assert len(queued(connection, team(policy=policy))) == mails


# ---------- what is new


def test_what_was_not_on_the_list_before_is_new(connection: Connection) -> None:
    waiting(connection, KEY, before(hours=5))
    write_worklists(connection, settings(), as_of=before(hours=1))
    assert [i.is_new for i in read_worklists(connection, settings(), as_of=before(hours=1))[0].items] == [False]
    order(connection, ordered_at=before(hours=7))
    # Written before the last list, and read after it.
    waiting(connection, "DE:order:late_mail", before(hours=2))
    found = {item.ticket_id: item.is_new for item in shown(connection).items}
    assert found == {KEY: False, "DE:order:late_mail": True, None: True}
    plain, html = worklist_mail(shown(connection)).plain, worklist_mail(shown(connection)).html
    assert (plain.count("(new)"), html.count('<div class="small new">new</div>')) == (2, 2)


def test_a_buyer_who_writes_again_is_new(connection: Connection) -> None:
    waiting(connection, KEY, before(hours=5))
    write_worklists(connection, settings(), as_of=before(hours=1))
    connection.execute(text("update mart.sla_clock set started_at = :at, due_at = :due"),
                       {"at": before(minutes=9), "due": after(hours=23)})  # fmt: skip
    assert [item.is_new for item in shown(connection).items] == [True]


# ---------- the buyer's words


def test_the_beginning_of_what_the_buyer_wrote_last_is_told(connection: Connection) -> None:
    waiting(connection, KEY, before(hours=2))
    said(connection, "The first message", at=before(hours=3))
    said(connection, "Where is my <b>teapot</b>?\nIt was due on Monday.")
    said(connection, "Written later", at=after(minutes=1))
    mail = worklist_mail(shown(connection))
    assert "    > Where is my <b>teapot</b>? It was due on Monday." in mail.plain.splitlines()
    assert ">Where is my &lt;b&gt;teapot&lt;/b&gt;? It was due on Monday.</div>" in mail.html
    assert "teapot" not in mail.subject


@pytest.mark.parametrize(("most", "words"), [(0, ""), (10, "Where is…"), (280, "Where is my teapot?")])
def test_as_much_is_told_as_the_settings_allow(connection: Connection, most: int, words: str) -> None:
    waiting(connection, KEY, before(hours=2))
    said(connection, "Where is my teapot?")
    current = settings().model_copy(update={"policy": Policy(buyers_words=most)})
    assert [item.words for item in shown(connection, current).items] == [words]


BAD = {
    "script": ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    "formula": ('=HYPERLINK("http://evil.example","x")', '=HYPERLINK("[link]'),
    "turned around": ("pay \u202egnp.exe\u202c now\u200b", "pay gnp.exe now"),
    "link": ("see https://evil.example/?a=1 or WWW.evil.example", "see [link] or [link]"),
    "a megabyte": ("A" * 1_000_000, "A" * 279 + "…"),
    "a megabyte of nothing": (" \n" * 500_000, ""),
    "terminal": ("\x1b[31mred\x07\0".replace("\0", ""), "[31mred"),
    "empty": ("", ""),
}


@pytest.mark.parametrize(("words", "told"), BAD.values(), ids=BAD)
def test_whatever_a_buyer_writes_does_no_harm(
    warehouse: Engine, inbox: Inbox, transport: SmtpTransport, words: str, told: str
) -> None:
    with warehouse.begin() as connection:
        waiting(connection, KEY, before(hours=2))
        said(connection, words)
        assert [item.words for item in shown(connection).items] == [told]
        queue_worklists(connection, settings(), as_of=NOON)
    assert deliver(warehouse, transport, at=NOON).sent == 1
    [mail] = inbox.mails
    html = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert "<script" not in html
    assert "evil.example" not in html
    assert len(html) < GMAIL_LIMIT
    [attached] = mail.iter_attachments()
    assert attached.get_filename() == "worklist-20260310T1200Z.csv"
    assert "A" * 50 not in attached.get_content()
    assert mail["Subject"] == "Worklist 12:00 UTC: 0 late, 0 at risk, 1 in all"


@given(st.text(), st.integers(1, 300))
def test_the_beginning_is_one_line_of_no_more_letters(words: str, most: int) -> None:
    told = beginning(words, most)
    assert len(told) <= most
    assert told == " ".join(told.split())
    assert "://" not in told.replace("[link]", "")


def test_only_who_waits_for_a_reply_is_quoted(connection: Connection) -> None:
    ticket(connection, KEY, "return_request")
    said(connection, "I send it back")
    assert [item.words for item in shown(connection).items] == [""]


def test_long_words_do_not_make_a_mail_that_gmail_cuts_off(connection: Connection) -> None:
    for number in range(40):
        said(connection, f"{number} " + "長い" * 999, waiting(connection, f"JP:order:{number}", before(hours=2)))
    current = settings().model_copy(update={"policy": Policy(buyers_words=2000)})
    mail = worklist_mail(shown(connection, current))
    assert len(mail.html.encode()) < GMAIL_LIMIT
    assert "and 30 more: see" in mail.html


# ---------- what goes with it


def test_the_attached_list_is_whole_and_safe_to_open(warehouse: Engine, inbox: Inbox, transport: SmtpTransport) -> None:
    with warehouse.begin() as connection:
        for number in range(60):
            waiting(connection, f"DE:order:{number}", before(hours=2))
        order(connection, "=1+1")
        queued(connection, settings())
    deliver(warehouse, transport, at=NOON)
    [mail] = inbox.mails
    [attached] = mail.iter_attachments()
    assert attached.get_content_type() == "text/csv"
    rows = list(csv.DictReader(io.StringIO(attached.get_payload(decode=True).decode("utf-8-sig"))))  # type: ignore[union-attr]
    assert len(rows) == 61
    assert rows[-1]["order_id"] == "'=1+1"
    assert {"words", "reasons"} & rows[0].keys() == set()


def test_the_mail_leads_to_the_page_of_the_list(connection: Connection) -> None:
    waiting(connection, KEY, before(hours=2))
    queued(connection, settings())
    [(plain,)] = connection.execute(text("select plain from pii.outbox"))
    assert f"https://desk.example/support/worklist?agent={quote('Ana Lima').replace('%20', '+')}" in plain


def test_each_list_has_a_page_of_its_own(connection: Connection) -> None:
    waiting(connection, KEY, before(hours=2))
    queued(connection, team(desks={"bqool": ["desk@shop.example"]}, marketplaces={"DE": ["de@shop.example"]}))
    mails = connection.execute(text("select plain from pii.outbox")).scalars()
    pages = {mail.partition("https://desk.example/support/worklist?")[2].split()[0] for mail in mails}
    assert pages == {"agent=Ana+Lima", "agent=Bo+Berg", "team=europe", "desk=bqool", "marketplace=DE"}
