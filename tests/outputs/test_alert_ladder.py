"""Breaches that last climb the ladder; whoever acknowledges one stops it; quiet hours and duty are kept."""

import signal
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any

import pytest
from output_rows import ANA, NOON, SITES, after, before, clock, insert, settings, ticket, waiting
from sqlalchemy import Connection, Engine, text

from amazon_support.outputs import people
from amazon_support.outputs.acknowledge import BadToken, Breach, Links, acknowledge
from amazon_support.outputs.alerts import note_hour, raise_alerts, raise_troubles
from amazon_support.outputs.worklist import write_worklists
from amazon_support.settings import Account, Agent, Assignment, ServiceLevels, Settings

TICKET = "DE:order:1"
NIGHT = {"timezone": "UTC", "hours": {"mon-sun": ["22:00-07:00"]}}
OFFICE = {"timezone": "UTC", "hours": {"mon-sun": ["09:00-17:00"]}}
BO = Agent(name="Bo Berg", email="bo@shop.example", chat="chat_bo", text="text_bo", marketplaces=("US",))
LEA = Agent(name="Lea Long", email="lea@shop.example", chat="chat_lea", text="text_lea", marketplaces=("US",))
MIA = Agent(name="Mia Meier", email="mia@shop.example", marketplaces=("US",))
LINKS = Links(["key", "older key"], "https://desk.example/support/acknowledge")


def crew(*agents: Agent, **changes: Any) -> Settings:
    """Ana answers, Lea leads her, Mia manages; others are added."""
    assignment = {"manager": "Mia Meier", "teams": [{"name": "europe", "agents": ["Ana Lima"], "lead": "Lea Long"}]}
    return Settings.model_validate(
        {
            "marketplaces": SITES,
            "accounts": (Account(name="main"),),
            "agents": agents or (ANA, LEA, MIA),
            "assignment": Assignment.model_validate(assignment),
        }
        | changes
    )


def run(connection: Connection, current: Settings, as_of: datetime, **more: Any) -> list[tuple[str, str, str]]:
    """What is queued: channel, recipient, and what the subject counts. It is sent at once."""
    write_worklists(connection, current, as_of=as_of)
    raise_alerts(connection, current, as_of=as_of, **more)
    return queued(connection)


def queued(connection: Connection) -> list[tuple[str, str, str]]:
    rows = connection.execute(
        text("select channel, recipient, subject from pii.outbox where sent_at is null order by channel, recipient")
    ).all()
    connection.execute(text("update pii.outbox set sent_at = available_at where sent_at is null"))
    return [(channel, recipient, subject.partition(": ")[2]) for channel, recipient, subject in rows]


# ---------- the ladder


def test_a_breach_climbs_from_the_agent_to_the_lead_to_the_manager(connection: Connection) -> None:
    waiting(connection, TICKET, before(hours=25))
    climbs = [run(connection, crew(), after(hours=hours)) for hours in (0, 22, 23, 24, 46, 47, 48, 96)]
    assert climbs == [
        [("email", ANA.email, "1 breached")],
        [],
        [
            ("chat", "chat_lea", "1 still breached"),
            ("email", ANA.email, "1 still breached"),
            ("email", LEA.email, "1 still breached"),
            ("text", "text_lea", "1 still breached"),
        ],
        [],
        [],
        [
            ("chat", "chat_lea", "1 still breached"),
            ("email", LEA.email, "1 still breached"),
            ("email", MIA.email, "1 still breached"),
            ("text", "text_lea", "1 still breached"),
        ],
        [],
        [],
    ]


def test_several_levels_at_once_are_one_line(connection: Connection) -> None:
    waiting(connection, TICKET, before(hours=80))
    told = run(connection, crew(ANA, LEA, MIA), NOON)
    assert [each for each in told if each[0] == "email"] == [
        ("email", ANA.email, "1 still breached"),
        ("email", LEA.email, "1 still breached"),
        ("email", MIA.email, "1 still breached"),
    ]


def test_addresses_of_the_policy_are_told_with_each_step(connection: Connection) -> None:
    policy = {"name": "default", "escalate_after": ["1h", "2h"], "escalate_to": ["boss@shop.example"]}
    levels = ServiceLevels.model_validate({"policies": [policy]})
    waiting(connection, TICKET, before(hours=25))
    steps = [run(connection, crew(service_levels=levels), after(hours=hours)) for hours in (0, 1, 2)]
    assert [("email", "boss@shop.example", "1 still breached") in step for step in steps] == [True, True, False]


def test_without_leads_and_manager_the_agent_is_told_again(connection: Connection) -> None:
    waiting(connection, TICKET, before(hours=25))
    steps = [run(connection, settings(), after(hours=hours)) for hours in (0, 23, 47)]
    assert steps == [[("email", ANA.email, what)] for what in ("1 breached", "1 still breached", "1 still breached")]


def test_a_long_alert_fits_into_a_mail(connection: Connection) -> None:
    for number in range(150):
        late = before(hours=25 + 30 * (number % 3))
        waiting(connection, f"DE:order:{number}", late, order_id=f"302-1234567-{number:07}")
    assert run(connection, crew(), NOON, links=LINKS)[1][2] == "100 still breached, 50 breached"
    size = connection.execute(text("select length(html) from pii.outbox where recipient = :ana"), {"ana": ANA.email})
    assert size.scalar_one() < 60_000, "Gmail cuts at 102 kB"
    plain = connection.execute(text("select plain from pii.outbox where recipient = :ana"), {"ana": ANA.email})
    assert plain.scalar_one().count("and 80 more") == 1, "both headings have their share of the mail"


def test_a_reply_stops_the_ladder(connection: Connection) -> None:
    ticket(connection, TICKET, periods=[("new", before(hours=25))])
    clock(connection, TICKET, before(hours=25), stopped_at=after(hours=20))
    assert run(connection, crew(), NOON) != []
    assert run(connection, crew(), after(hours=23)) == []


def test_a_near_deadline_is_told_and_escalates(connection: Connection) -> None:
    ticket(connection, "DE:case:7", "performance_notification", periods=[("new", before(hours=60))])
    clock(connection, "DE:case:7", before(hours=60))
    connection.execute(
        text("update mart.sla_clock set metric = 'notification_deadline', due_at = :due, warn_at = :due"),
        {"due": after(hours=20)},
    )
    assert run(connection, crew(), before(hours=5)) == []
    assert run(connection, crew(), NOON) == [("email", ANA.email, "1 deadline near")]
    assert (
        "20 h left          11 Mar 08:00 UTC" in connection.execute(text("select plain from pii.outbox")).scalar_one()
    )
    assert run(connection, crew(), after(hours=21)) == [("email", ANA.email, "1 deadline passed")]
    assert ("text", "text_lea", "1 deadline long passed") in run(connection, crew(), after(hours=45))


# ---------- duty and quiet hours


def test_whoever_is_off_duty_is_told_when_on_duty_again(connection: Connection) -> None:
    day_worker = Agent.model_validate(ANA.model_dump() | {"hours": OFFICE})
    waiting(connection, TICKET, before(hours=19))  # breached at 17:00
    assert run(connection, settings(day_worker), after(hours=5)) == []
    assert run(connection, settings(day_worker), after(hours=20)) == []
    assert run(connection, settings(day_worker), after(hours=21)) == [("email", ANA.email, "1 breached")]


def test_where_no_agent_is_on_duty_the_lead_is_told_at_once(connection: Connection) -> None:
    day_worker = Agent.model_validate(ANA.model_dump() | {"absent": ["2026-03-10"]})
    waiting(connection, TICKET, before(hours=21))
    assert run(connection, crew(day_worker, LEA, MIA), NOON) == [("email", LEA.email, "1 at risk")]


def test_chat_waits_for_the_end_of_quiet_hours_and_mail_does_not(connection: Connection) -> None:
    sleeper = Agent.model_validate(ANA.model_dump() | {"chat": "chat_ana", "quiet": NIGHT})
    waiting(connection, TICKET, before(hours=14))
    write_worklists(connection, settings(sleeper), as_of=after(hours=11))
    raise_alerts(connection, settings(sleeper), as_of=after(hours=11))
    times = connection.execute(text("select channel, available_at from pii.outbox order by channel")).all()
    assert [tuple(row) for row in times] == [("chat", after(hours=19)), ("email", after(hours=11))]


@pytest.mark.parametrize(("hour", "until"), [(6, 7), (7, 7), (12, 12), (22, 31), (23, 31)])
def test_quiet_hours_end_with_their_last_minute(hour: int, until: int) -> None:
    midnight = datetime.fromisoformat("2026-03-10T00:00Z")
    sleeper = Agent.model_validate(ANA.model_dump() | {"quiet": NIGHT})
    moment = midnight + timedelta(hours=hour)
    assert people.quiet_until(sleeper, settings(sleeper), moment) == midnight + timedelta(hours=until)


# ---------- chat and text


def test_a_text_message_is_one_sentence_without_names_and_words(connection: Connection) -> None:
    waiting(connection, TICKET, before(hours=80))
    run(connection, crew(), NOON)
    plain = connection.execute(text("select plain from pii.outbox where channel = 'text'")).scalar_one()
    assert plain == "Alert 12:00 UTC: 1 still breached: see the worklist."


def test_what_is_only_at_risk_makes_no_noise(connection: Connection) -> None:
    loud = Agent.model_validate(ANA.model_dump() | {"chat": "chat_ana", "text": "text_ana"})
    waiting(connection, TICKET, before(hours=21))
    assert run(connection, settings(loud), NOON) == [("email", ANA.email, "1 at risk")]
    assert [channel for channel, *_ in run(connection, settings(loud), after(hours=4))] == ["chat", "email"]


# ---------- acknowledging


def test_an_acknowledgement_stops_the_ladder_until_the_next_breach(connection: Connection) -> None:
    waiting(connection, TICKET, before(hours=25))
    run(connection, crew(), NOON, links=LINKS)
    html = connection.execute(text("select html from pii.outbox where kind = 'alert'")).scalar_one()
    token = html.partition("/support/acknowledge/")[2].partition('"')[0]
    breach = LINKS.read(token, crew(), at=after(hours=1))
    assert breach == Breach("main", "reply", TICKET, 1, "Ana Lima")
    assert [acknowledge(connection, breach, at=after(hours=hours)) for hours in (1, 2)] == [True, False]
    assert run(connection, crew(), after(hours=23)) == []
    connection.execute(text("update mart.sla_clock set stopped_at = :at"), {"at": after(hours=24)})
    clock(connection, TICKET, after(hours=25), cycle=2)
    assert run(connection, crew(), after(hours=50)) == [("email", ANA.email, "1 breached")]
    assert len(run(connection, crew(), after(hours=74))) == 4


def test_the_past_is_answered_as_if_nobody_had_acknowledged_yet(connection: Connection) -> None:
    waiting(connection, TICKET, before(hours=50))
    acknowledge(connection, Breach("main", "reply", TICKET, 1, "Ana Lima"), at=after(hours=1))
    assert ("email", LEA.email, "1 still breached") in run(connection, crew(), NOON)


def test_a_promise_given_before_the_breach_does_not_silence_it(connection: Connection) -> None:
    waiting(connection, TICKET, before(hours=21))
    acknowledge(connection, Breach("main", "reply", TICKET, 1, "Ana Lima"), at=NOON)
    assert run(connection, crew(), after(hours=4)) == [("email", ANA.email, "1 breached")]
    assert len(run(connection, crew(), after(hours=27))) == 4


BREACH = Breach("main", "reply", TICKET, 1, "Ana Lima")


@pytest.mark.parametrize(
    ("links", "hours", "says"),
    [
        (LINKS, 7 * 24 - 1, None),
        (LINKS, 7 * 24, "has expired"),
        (Links(["newest", "key"]), 1, None),
        (Links(["another"]), 1, "not one of ours"),
    ],
)
def test_a_link_holds_for_a_week_and_for_the_keys_there_are(links: Links, hours: int, says: str | None) -> None:
    token = LINKS.token(BREACH, at=NOON)
    if says is None:
        assert links.read(token, crew(), at=after(hours=hours)) == BREACH
        return
    with pytest.raises(BadToken, match=says):
        links.read(token, crew(), at=after(hours=hours))


@pytest.mark.parametrize("token", ["", "x", "e30.abc", LINKS.token(BREACH, at=NOON)[:-1]])
def test_a_link_that_was_changed_is_refused(token: str) -> None:
    with pytest.raises(BadToken, match="not one of ours"):
        LINKS.read(token, crew(), at=NOON)


def test_a_link_names_nobody_and_ends_with_its_agent() -> None:
    token = LINKS.token(BREACH, at=NOON)
    assert "Ana" not in LINKS._serializer().load_payload(token.rpartition(".")[0].encode()).__repr__()
    with pytest.raises(BadToken, match=r"not in agents\.yaml any more"):
        LINKS.read(token, crew(LEA, MIA, agents=(LEA, MIA), assignment=Assignment()), at=NOON)


# ---------- trouble


def test_imitations_of_one_folder_are_one_line_for_the_lead(connection: Connection) -> None:
    for number in range(3):
        phishing(connection, f"m{number}", before(hours=1))
    phishing(connection, "old", before(hours=30))
    assert run(connection, crew(), NOON) == [
        ("chat", "chat_lea", "3 imitations of Amazon"),
        ("email", LEA.email, "3 imitations of Amazon"),
    ]
    plain = connection.execute(text("select plain from pii.outbox where channel = 'email'")).scalar_one()
    assert "3 mails that pretend to be Amazon" in plain
    assert "Quarantined in imap_default/INBOX." in plain
    assert run(connection, crew(), after(hours=1)) == []


def test_dead_letters_are_told_to_the_lead_but_never_to_whom_they_were_for(connection: Connection) -> None:
    for number, recipient in enumerate([ANA.email, ANA.email, LEA.email]):
        insert(
            connection, "pii.outbox", message_key=str(number), kind="alert", recipient=recipient, subject="", html="",
            plain="", message_id="", available_at=NOON, dead_at=NOON,
        )  # fmt: skip
    assert raise_troubles(connection, crew(), as_of=after(hours=1)) == 2
    plain = connection.execute(text("select plain from pii.outbox where dead_at is null and html <> ''")).scalar_one()
    assert "2 messages could not be delivered" in plain
    assert "1 message could" not in plain
    assert raise_troubles(connection, crew(), as_of=after(hours=2)) == 0


def test_messages_that_do_not_go_out_are_told_unless_they_are_held(connection: Connection) -> None:
    insert(
        connection, "pii.outbox", message_key="1", kind="alert", recipient=ANA.email, subject="", html="", plain="",
        message_id="", available_at=NOON,
    )  # fmt: skip
    assert raise_troubles(connection, crew(), as_of=after(hours=1)) == 0
    insert(connection, "ops.sending_hold", held_at=NOON, reason="a move")
    assert raise_troubles(connection, crew(), as_of=after(hours=2)) == 0
    connection.execute(text("update ops.sending_hold set lifted_at = held_at"))
    assert raise_troubles(connection, crew(), as_of=after(hours=2)) == 2


def test_a_late_worklist_is_told_once_an_outage(connection: Connection) -> None:
    assert raise_troubles(connection, crew(), as_of=NOON) == 0, "nothing is late before the first one"
    note_hour(connection, as_of=NOON, now=after(minutes=3))
    late = [(59, 0), (79, 0), (80, 2), (140, 0)]
    assert [raise_troubles(connection, crew(), as_of=after(minutes=minutes)) for minutes, _ in late] == [
        count for _, count in late
    ]


def test_a_silent_source_is_told_and_a_disabled_account_is_not(connection: Connection) -> None:
    for account in ("main", "closed"):
        insert(
            connection, "ops.watermark", account=account, source="mailbox", scope="x", position="{}",
            moved_at=before(hours=25),
        )  # fmt: skip
    assert run(connection, crew(), NOON)[-1] == ("email", LEA.email, "1 trouble in the pipeline")
    plain = connection.execute(text("select plain from pii.outbox where channel = 'email'")).scalar_one()
    assert "Nothing new from mailbox for 25 h" in plain
    assert "Account main." in plain


def test_everybody_is_told_in_the_own_language_and_time_zone(connection: Connection) -> None:
    bo = BO.model_copy(update={"language": "de", "timezone": "Europe/Berlin", "marketplaces": ("DE",)})
    yuki = Agent(name="Yuki Ito", email="yuki@shop.example", marketplaces=("DE",), language="ja", timezone="Asia/Tokyo")
    waiting(connection, TICKET, before(hours=25))
    run(connection, crew(bo, yuki, assignment=Assignment()), NOON)
    rows = connection.execute(text("select recipient, channel, subject, plain from pii.outbox where kind = 'alert'"))
    found = {(recipient, channel): (subject, plain) for recipient, channel, subject, plain in rows}
    assert found["bo@shop.example", "email"][0] == "Warnung 13:00 CET: 1 überfällig"
    assert "ÜBERFÄLLIG (1)" in found["bo@shop.example", "email"][1]
    assert found["chat_bo", "chat"][1] == "Warnung 13:00 CET: 1 überfällig: siehe Arbeitsliste."
    assert found["yuki@shop.example", "email"][0] == "アラート 21:00 JST：期限超過 1件"
    assert "1時間超過" in found["yuki@shop.example", "email"][1]


def batch_of_orders(connection: Connection, rejected: str | None = None) -> int:
    number: int = connection.execute(
        text(
            "insert into ops.batch (dataset, account, scope, row_count, checked_at, rejected_because)"
            " values ('orders', 'main', 'eu', 100, :at, :rejected) returning batch_id"
        ),
        {"at": before(minutes=5), "rejected": rejected},
    ).scalar_one()
    return number


def test_rows_that_were_set_aside_are_told_once_and_again_when_they_are_ten_times_as_many(
    connection: Connection,
) -> None:
    number, there, told = batch_of_orders(connection), 0, []
    for bad in (1, 9, 10, 99, 100):
        for row in range(there, bad):
            insert(
                connection, "ops.quarantine", account="main", dataset="orders", batch_id=number, row_key=row, rule="x",
                set_aside_at=before(minutes=5),
            )  # fmt: skip
        there = bad
        told.append(raise_troubles(connection, crew(), as_of=NOON))
    assert told == [2, 0, 2, 0, 2]
    plain = connection.execute(
        text("select plain from pii.outbox where channel = 'email' order by outbox_id limit 1")
    ).scalar_one()
    assert "1 row of orders of main is set aside by x" in plain
    assert "python -m amazon_support quality list --dataset orders --rule x." in plain


def test_a_rejected_batch_is_told_with_its_reason(connection: Connection) -> None:
    number = batch_of_orders(connection, "no order ids")
    assert [raise_troubles(connection, crew(), as_of=NOON) for _ in range(2)] == [2, 0]
    plain = connection.execute(text("select plain from pii.outbox where channel = 'email'")).scalar_one()
    assert "no order ids" in plain
    assert f"quality show --batch {number}." in plain


def test_a_warning_is_told_once_each_time_it_comes_up(connection: Connection) -> None:
    told = []
    for number, state in enumerate(["warned", "warned", "passed", "warned"]):
        for region in ("eu", "na"):
            insert(
                connection, "ops.check_result", account="main", dataset="orders", scope=region, rule="pulled_lately",
                severity="warn", as_of=after(minutes=10 * number), passed=state == "passed", state=state, observed=5,
                expected="hours behind at most 3",
            )  # fmt: skip
        told.append(raise_troubles(connection, crew(), as_of=after(minutes=10 * number)))
    assert told == [2, 0, 0, 2]
    plain = connection.execute(
        text("select plain from pii.outbox where channel = 'email' order by outbox_id limit 1")
    ).scalar_one()
    assert "orders of main (eu): 5 found" in plain
    assert "orders of main (na): 5 found" in plain


def test_a_source_that_failed_is_told_once_a_day(connection: Connection) -> None:
    failing = [("main", "mail.pull of imap_default")]
    hours = [run(connection, crew(), after(hours=hours), failing=failing) for hours in (0, 1, 12)]
    assert [len(told) for told in hours] == [2, 0, 2]
    plain = connection.execute(text("select plain from pii.outbox where channel = 'email' limit 1")).scalar_one()
    assert "mail.pull of imap_default failed" in plain


def phishing(connection: Connection, name: str, received_at: datetime) -> None:
    insert(
        connection, "core.mail", account="main", mail_id=name, mailbox="imap_default", folder="INBOX",
        kind="imitation", confidence=1, signals=[], direction="inbound", order_ids=[], sent_at=received_at,
        received_at=received_at, attachment_count=0, archived_as=name,
    )  # fmt: skip


# ---------- crashes


KILLED = """
import sys, time
from datetime import datetime
from output_rows import settings
from amazon_support.outputs import alerts
from amazon_support.warehouse import engine

with engine(sys.argv[1]).begin() as connection:
    alerts.raise_alerts(connection, settings(), as_of=datetime.fromisoformat(sys.argv[2]))
    print("raised", flush=True)
    time.sleep(600)
"""


def test_whoever_is_killed_before_the_commit_has_told_nobody_and_the_next_run_tells_it(
    warehouse: Engine, warehouse_url: str
) -> None:
    with warehouse.begin() as connection:
        waiting(connection, TICKET, before(hours=30))
        write_worklists(connection, settings(), as_of=NOON)
    arguments = [sys.executable, "-c", KILLED, warehouse_url, NOON.isoformat()]
    environment = {"PYTHONPATH": ":".join(sys.path)}
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        assert process.stdout.readline() == "raised\n"
        process.send_signal(signal.SIGKILL)
        process.wait()
    with warehouse.begin() as connection:
        assert connection.execute(text("select count(*) from pii.outbox")).scalar_one() == 0
        assert [raise_alerts(connection, settings(), as_of=NOON) for _ in range(2)] == [1, 0]
