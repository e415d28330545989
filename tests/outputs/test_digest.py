"""The digest of a day and of a month: what it tells, to whom, and what it looks like as mail."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from typing import Any

import pytest
from sqlalchemy import Connection, text
from ticket_histories import POLICY, history, moment, record

from amazon_support import settings as all_settings
from amazon_support import tickets
from amazon_support.outputs import digest
from amazon_support.outputs.channels import as_mail
from amazon_support.outputs.digest import EVERYTHING, Scope
from amazon_support.outputs.outbox import _outgoing
from amazon_support.outputs.reader import ENGLISH, Reader
from amazon_support.settings import Settings
from amazon_support.tickets.compliance import write_compliance

AS_OF = moment("2026-03-10 03:00")
ANA, LEA, MIA = (
    {"name": name, "email": f"{name.split()[0].lower()}@example.com"} for name in ("Ana Lima", "Lea Long", "Mia Meier")
)
ANA |= {"marketplaces": ["DE", "FR"]}


def crew(**assignment: Any) -> Settings:
    loaded = all_settings.load().model_dump()
    loaded |= {"agents": [ANA, LEA, MIA], "assignment": assignment}
    return Settings.model_validate(loaded)


LED = crew(
    manager="Mia Meier",
    teams=[{"name": "europe", "agents": ["Ana Lima"], "lead": "Lea Long"}],
)

STORIES: dict[str, list[tuple[Any, ...]]] = {
    "quick": [("2026-03-09 08:00", "buyer_message"), ("2026-03-09 09:00", "reply", {"actor": "Ana Lima"})],
    "slow": [("2026-03-08 08:00", "buyer_message"), ("2026-03-09 20:00", "reply", {"actor": "Ana Lima"})],
    "held": [
        ("2026-03-08 09:00", "buyer_message"),
        ("2026-03-08 10:00", "assign", {"detail": {"agent": "Ana Lima"}}),
        ("2026-03-08 11:00", "hold", {"detail": {"stakeholder": "carrier"}}),
    ],
    "bounced": [
        ("2026-03-08 10:00", "buyer_message"),
        ("2026-03-08 11:00", "reply", {"source_id": "lost"}),
        ("2026-03-08 12:00", "delivery_failure", {"detail": {"reply": "lost"}}),
    ],
    "silent": [("2026-03-01 08:00", "buyer_message"), ("2026-03-02 08:00", "reply")],
}


@pytest.fixture
def told(connection: Connection) -> Connection:
    for number, (name, story) in enumerate(STORIES.items()):
        events = [
            each | {"source_id": f"{each['source_id']}{number}" if each["source_id"] != "lost" else "lost"}
            for each in history(*story, key=f"DE:case:{name}")
        ]
        record(connection, events)
    tickets.fold(connection, POLICY, tickets.Promises.of(LED))
    write_compliance(connection, LED, as_of=AS_OF)
    return connection


# ---------- what it tells


def test_yesterday_in_figures_with_the_day_before_beside_them(told: Connection) -> None:
    made = digest.of_day(told, LED, EVERYTHING, as_of=AS_OF)
    assert (made.since, made.until) == (date(2026, 3, 9), date(2026, 3, 10))
    assert (made.met, made.judged, made.backlog, made.backlog_before) == (1, 4, 2, 3)
    assert made.solved_by_itself == 1, "seven days after our reply"
    assert [(row["name"], row["met"], row["breached"]) for row in made.by_marketplace] == [("DE", 1, 3)]


def test_each_breach_has_the_cause_that_the_facts_prove(told: Connection) -> None:
    made = digest.of_day(told, LED, EVERYTHING, as_of=AS_OF)
    causes = {row["ticket_id"].rpartition(":")[2]: (row["cause"], row["answered_by"]) for row in made.breaches}
    assert causes == {
        "slow": ("nobody_had_it", "Ana Lima"),
        "held": ("on_hold", None),
        "bounced": ("reply_bounced", None),
    }
    assert made.causes == [
        ("a reply did not arrive", 1),
        ("on hold when it was due", 1),
        ("nobody had it when it was due", 1),
    ]


def test_a_month_is_the_sum_of_its_days(told: Connection) -> None:
    write_compliance(told, LED, as_of=moment("2026-04-01 03:00"))
    made = digest.of_month(told, LED, EVERYTHING, as_of=moment("2026-04-01 03:00"))
    assert (made.since, made.until, made.is_month) == (date(2026, 3, 1), date(2026, 4, 1), True)
    assert (made.met, len(made.breaches)) == (2, 3)


def test_the_same_day_gives_the_same_digest_for_ever(told: Connection) -> None:
    before = digest.as_page(digest.of_day(told, LED, EVERYTHING, as_of=AS_OF), ENGLISH)
    later = ("2026-03-10 09:00", "reply", {"source_id": "later"})
    record(told, history(later, key="DE:case:held"))
    tickets.fold(told, POLICY, tickets.Promises.of(LED))
    write_compliance(told, LED, as_of=moment("2026-03-11 03:00"))
    assert digest.as_page(digest.of_day(told, LED, EVERYTHING, as_of=AS_OF), ENGLISH) == before


def test_a_day_without_anything_says_so(connection: Connection) -> None:
    made = digest.of_day(connection, LED, EVERYTHING, as_of=AS_OF)
    shown = digest.pictures(made)
    assert shown == {}
    assert "Nothing happened." in digest.render(made, ENGLISH, shown, str).plain


def test_of_many_agents_those_with_the_lowest_share_are_named_and_the_others_counted(connection: Connection) -> None:
    made = digest.of_day(connection, LED, EVERYTHING, as_of=AS_OF)
    agents = [{"name": f"Agent {n:02}", "met": n, "breached": 1, "share_met": n / (n + 1)} for n in range(17)]
    rendered = digest.render(replace(made, by_agent=agents), ENGLISH, {}, str)
    assert re.search(r"2 others +94 % +31 met, 2 breached", rendered.plain)
    for form in (rendered.html, rendered.plain):
        assert ("Agent 14" in form, "Agent 15" in form) == (True, False)


# ---------- to whom


def test_leads_get_their_teams_and_the_manager_gets_all() -> None:
    assert [(agent.name, scope) for agent, scope in digest.recipients(LED)] == [
        ("Lea Long", Scope("europe", ("DE", "FR"))),
        ("Mia Meier", EVERYTHING),
    ]


def test_where_nobody_leads_everybody_gets_all() -> None:
    assert [scope for _, scope in digest.recipients(crew())] == [EVERYTHING] * 3


def test_a_lead_is_told_of_the_own_marketplaces_only(told: Connection) -> None:
    assert not digest.of_day(told, LED, Scope("europe", ("DE",)), as_of=AS_OF).is_empty
    assert digest.of_day(told, LED, Scope("asia", ("JP",)), as_of=AS_OF).is_empty


def test_it_is_queued_once_however_often_the_day_is_run(told: Connection) -> None:
    assert [digest.queue(told, LED, as_of=AS_OF) for _ in range(2)] == [2, 0]


# ---------- how it looks


def sent(connection: Connection, recipient: str) -> Any:
    row = connection.execute(text("select * from pii.outbox where recipient = :to"), {"to": recipient}).mappings().one()
    mail = as_mail(_outgoing(row, datetime(2026, 3, 10, 3, tzinfo=UTC), {}), "support@example.com")
    return message_from_bytes(mail.as_bytes(), policy=policy.default)


def test_its_charts_are_in_the_mail_with_words_for_who_does_not_see_them(told: Connection) -> None:
    digest.queue(told, LED, as_of=AS_OF)
    mail = sent(told, "mia@example.com")
    html = mail.get_body(("html",)).get_content()
    pictures = {part["Content-ID"]: part for part in mail.walk() if part.get_content_type() == "image/png"}
    assert {f"<{cid}>" for cid in re.findall(r'src="cid:([^"]+)"', html)} == set(pictures)
    assert len(pictures) == 2
    assert all(len(part.get_content()) < 60_000 for part in pictures.values())
    assert len(re.findall(r'<img [^>]+ alt="[^"]{30,}"', html)) == 2
    assert len(html.encode()) < 102_000
    assert "25% met, 3 breached, 2 waiting" in mail["Subject"]


def test_on_the_first_the_month_comes_as_a_file_that_needs_nothing_else(told: Connection) -> None:
    first = moment("2026-04-01 03:00")
    write_compliance(told, LED, as_of=first)
    digest.queue(told, LED, as_of=first)
    [file] = list(sent(told, "lea@example.com").iter_attachments())
    assert file.get_filename() == "support-2026-03.html"
    page = file.get_content()
    assert "Support in March 2026" in page
    assert re.findall(r'src="(.{5})', page) == ["data:", "data:"]
    assert "http" not in re.sub(r"base64,[^\"]+", "", page)


@pytest.mark.parametrize(
    ("reader", "says"),
    [
        (Reader("de", "Europe/Berlin"), "Support am Montag, 9. März 2026: 25% eingehalten"),
        (Reader("ja", "Asia/Tokyo"), "2026年3月9日"),
    ],
)
def test_it_is_in_the_readers_words(told: Connection, reader: Reader, says: str) -> None:
    made = digest.of_day(told, LED, EVERYTHING, as_of=AS_OF)
    assert says in digest.render(made, reader, {}, str).subject
