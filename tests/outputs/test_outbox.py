"""Messages go out once, in order, and none is lost, whatever breaks."""

import signal
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st
from output_rows import NOON, after, before, settings, waiting
from smtp_inbox import Inbox
from sqlalchemy import Engine, text

from amazon_support.outputs import outbox_desk
from amazon_support.outputs.channels import ByChannel, Outgoing, SmtpTransport, TransportUnavailable
from amazon_support.outputs.messages import Rendered
from amazon_support.outputs.outbox import (
    MAX_ATTEMPTS,
    Delivery,
    Message,
    deliver,
    enqueue,
    queue_worklists,
)
from amazon_support.outputs.worklist import write_worklists
from amazon_support.settings import Agent

ANA, YUKI = "ana@shop.example", "yuki@shop.example"


def message(subject: str = "one", recipient: str = ANA, as_of: datetime = NOON) -> Message:
    return Message(
        "worklist", recipient, as_of, Rendered(subject, f"<p>{subject}</p>", f"{subject}\n"), occasion=subject
    )


def queue(warehouse: Engine, *waiting_messages: Message) -> list[bool]:
    with warehouse.begin() as connection:
        return [enqueue(connection, each) for each in waiting_messages]


def row(warehouse: Engine, subject: str = "one") -> Any:
    with warehouse.connect() as connection:
        return connection.execute(text("select * from pii.outbox where subject = :s"), {"s": subject}).one()


class Breaks:
    """A transport that breaks, as if the process had ended there."""

    def __init__(self, transport: SmtpTransport | None = None) -> None:
        self.transport = transport

    def send(self, message: Outgoing) -> None:
        if self.transport:
            self.transport.send(message)
        raise RuntimeError("the process ends here")


# ---------- in


def test_a_rerun_queues_nothing_twice(warehouse: Engine) -> None:
    agents = (Agent(name="Ana Lima", email=ANA), Agent(name="Yuki Tan", email=YUKI, marketplaces=("JP",)))
    with warehouse.begin() as connection:
        waiting(connection, "DE:order:1", before(hours=2))
        for hour, expected in ((NOON, 1), (NOON, 0), (after(hours=1), 1)):
            write_worklists(connection, settings(*agents), as_of=hour)
            assert queue_worklists(connection, settings(*agents), as_of=hour) == expected
        recipients = connection.execute(text("select recipient from pii.outbox")).scalars().all()
    assert recipients == [ANA, ANA], "who has nothing to do gets no mail"


def test_agents_who_share_an_address_get_their_own_worklists(warehouse: Engine) -> None:
    agents = [Agent(name=name, email=ANA) for name in ("Ana Lima", "Yuki Tan")]
    with warehouse.begin() as connection:
        waiting(connection, "DE:order:1", before(hours=2))
        write_worklists(connection, settings(*agents), as_of=NOON)
        assert queue_worklists(connection, settings(*agents), as_of=NOON) == 2


def test_a_message_is_queued_with_the_state_it_reports_or_not_at_all(
    warehouse: Engine, transport: SmtpTransport
) -> None:
    with pytest.raises(RuntimeError), warehouse.begin() as connection:
        enqueue(connection, message())
        raise RuntimeError
    assert deliver(warehouse, transport, at=NOON) == Delivery(sent=0, failed=0, dead=0)


def test_the_message_id_is_stable_and_its_domain_can_be_set(warehouse: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    queue(warehouse, message())
    first = row(warehouse).message_id
    with warehouse.begin() as connection:
        connection.execute(text("delete from pii.outbox"))
    queue(warehouse, message())
    assert row(warehouse).message_id == first
    monkeypatch.setenv("AMAZON_SUPPORT_MAIL_DOMAIN", "shop.example")
    queue(warehouse, message("two"))
    assert row(warehouse, "two").message_id.endswith("@shop.example>")


# ---------- out


def test_a_mail_has_both_forms_and_says_that_a_program_wrote_it(
    warehouse: Engine, inbox: Inbox, transport: SmtpTransport
) -> None:
    queue(warehouse, message("Grüße"))
    assert deliver(warehouse, transport, at=NOON) == Delivery(sent=1, failed=0, dead=0)
    (mail,) = inbox.mails
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert mail.get_body(("html",)).get_content().strip() == "<p>Grüße</p>"  # type: ignore[union-attr]
    assert {name: mail[name] for name in ("From", "To", "Subject", "Date", "List-Id", "Auto-Submitted")} == {
        "From": "support-desk@shop.example",
        "To": ANA,
        "Subject": "Grüße",
        "Date": "Tue, 10 Mar 2026 12:00:00 +0000",
        "List-Id": "<worklist.amazon-support.local>",
        "Auto-Submitted": "auto-generated",
    }
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail["Message-ID"] == row(warehouse, "Grüße").message_id
    assert row(warehouse, "Grüße").sent_at == NOON


def test_a_batch_goes_out_in_one_session(warehouse: Engine, inbox: Inbox, transport: SmtpTransport) -> None:
    queue(warehouse, *(message(str(number)) for number in range(5)))
    assert deliver(warehouse, transport, at=NOON, limit=4).sent == 4
    assert deliver(warehouse, transport, at=NOON).sent == 1
    assert deliver(warehouse, transport, at=NOON).sent == 0
    assert inbox.subjects() == ["0", "1", "2", "3", "4"]
    assert inbox.connections == 1


def test_nothing_is_sent_before_its_time(warehouse: Engine, transport: SmtpTransport) -> None:
    queue(warehouse, message(as_of=after(hours=1)))
    assert deliver(warehouse, transport, at=NOON).sent == 0
    assert deliver(warehouse, transport, at=after(hours=1)).sent == 1


def test_many_deliverers_at_once_send_each_message_once_and_in_order(warehouse: Engine, inbox: Inbox) -> None:
    recipients = [f"agent{number}@shop.example" for number in range(5)]
    queue(warehouse, *(message(f"{r} {number}", r) for number in range(6) for r in recipients))
    together = threading.Barrier(4)

    def work() -> None:
        with SmtpTransport("127.0.0.1", inbox.port, sender="support-desk@shop.example") as transport:
            together.wait()
            deliver(warehouse, transport, at=NOON)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for recipient in recipients:
        own = [subject for subject in inbox.subjects() if subject.startswith(recipient)]
        assert own == [f"{recipient} {number}" for number in range(6)]
    assert len(inbox.mails) == 30


# ---------- what the server does not take


def test_a_failed_message_is_tried_later_and_holds_back_the_later_ones(
    warehouse: Engine, inbox: Inbox, transport: SmtpTransport
) -> None:
    inbox.answers[ANA] = ["451 4.2.1 try later", "451 4.2.1 try later"]
    queue(warehouse, message("one"), message("two"), message("other", YUKI))
    assert deliver(warehouse, transport, at=NOON) == Delivery(sent=1, failed=1, dead=0)
    assert inbox.subjects() == ["other"]
    failed = row(warehouse)
    assert (failed.attempts, failed.available_at, failed.last_error) == (1, after(minutes=1), "451 4.2.1 try later")
    assert deliver(warehouse, transport, at=after(seconds=59)) == Delivery(sent=0, failed=0, dead=0)
    assert deliver(warehouse, transport, at=after(minutes=1)) == Delivery(sent=0, failed=1, dead=0)
    assert row(warehouse).available_at == after(minutes=3)
    assert deliver(warehouse, transport, at=after(minutes=3)) == Delivery(sent=2, failed=0, dead=0)
    assert inbox.subjects() == ["other", "one", "two"]
    assert row(warehouse).last_error is None


def test_what_is_refused_for_good_is_dead_and_the_next_goes_out(
    warehouse: Engine, inbox: Inbox, transport: SmtpTransport
) -> None:
    inbox.answers[ANA] = [f"550 5.1.1 <{ANA}>: no such user, " + "really " * 50]
    queue(warehouse, message("one"), message("two"))
    assert deliver(warehouse, transport, at=NOON) == Delivery(sent=1, failed=0, dead=1)
    assert inbox.subjects() == ["two"]
    assert deliver(warehouse, transport, at=after(days=1)) == Delivery(sent=0, failed=0, dead=0)
    dead = row(warehouse)
    assert dead.dead_at == NOON
    assert dead.last_error.startswith("550 5.1.1 <address> no such user")
    assert len(dead.last_error) <= 200


def test_a_message_is_given_up_after_its_last_attempt(
    warehouse: Engine, inbox: Inbox, transport: SmtpTransport
) -> None:
    inbox.answers[ANA] = ["451 try later"] * MAX_ATTEMPTS
    queue(warehouse, message())
    waits, at = [], NOON
    for _ in range(MAX_ATTEMPTS - 1):
        assert deliver(warehouse, transport, at=at).failed == 1
        waits.append(row(warehouse).available_at - at)
        at = row(warehouse).available_at
    assert waits == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 16, 32, 60, 60, 60)]
    assert deliver(warehouse, transport, at=at).dead == 1
    assert inbox.mails == []


def test_a_server_that_does_not_answer_costs_no_message_an_attempt(warehouse: Engine) -> None:
    queue(warehouse, message())
    nowhere = SmtpTransport("127.0.0.1", 1, user="me", password="secret!", sender="a@shop.example")
    with nowhere, pytest.raises(TransportUnavailable, match=r"127\.0\.0\.1:1 cannot be used") as error:
        deliver(warehouse, nowhere, at=NOON)
    assert "secret!" not in str(error.value)
    assert (row(warehouse).attempts, row(warehouse).dead_at) == (0, None)


def test_a_login_that_is_refused_costs_no_message_an_attempt(warehouse: Engine, inbox: Inbox) -> None:
    queue(warehouse, message())
    locked = SmtpTransport("127.0.0.1", inbox.port, user="me", password="secret!", sender="a@shop.example")
    with locked, pytest.raises(TransportUnavailable):
        deliver(warehouse, locked, at=NOON)
    assert row(warehouse).attempts == 0


def test_a_session_that_broke_is_opened_again(warehouse: Engine, inbox: Inbox, transport: SmtpTransport) -> None:
    queue(warehouse, message("one"), message("two", YUKI), message("three"))
    inbox.answers[ANA] = ["421 closing"]
    assert deliver(warehouse, transport, at=NOON) == Delivery(sent=1, failed=1, dead=0)
    assert deliver(warehouse, transport, at=after(minutes=1)) == Delivery(sent=2, failed=0, dead=0)
    assert inbox.subjects() == ["two", "one", "three"]


def test_a_refused_sender_is_our_mistake_and_kills_no_message(
    warehouse: Engine, inbox: Inbox, transport: SmtpTransport
) -> None:
    inbox.answers["support-desk@shop.example"] = ["550 not you"]
    queue(warehouse, message())
    assert deliver(warehouse, transport, at=NOON) == Delivery(sent=0, failed=1, dead=0)


def test_one_recipient_of_three_is_refused_and_the_others_get_theirs(
    warehouse: Engine, inbox: Inbox, transport: SmtpTransport
) -> None:
    inbox.answers[YUKI] = ["550 5.1.1 no such user"]
    queue(warehouse, message("one"), message("two", YUKI), message("three", "bo@shop.example"))
    assert deliver(warehouse, transport, at=NOON) == Delivery(sent=2, failed=0, dead=1)
    assert inbox.subjects() == ["one", "three"]
    assert (row(warehouse, "two").state, row(warehouse, "two").last_error) == ("dead", "550 5.1.1 no such user")


def test_a_server_that_hangs_up_after_taking_a_mail_gets_it_once_more_under_the_same_id(
    warehouse: Engine, inbox: Inbox, transport: SmtpTransport
) -> None:
    inbox.hangs_up = 1
    queue(warehouse, message("one"), message("two"))
    assert deliver(warehouse, transport, at=NOON) == Delivery(sent=0, failed=1, dead=0)
    assert "SMTPServerDisconnected" in row(warehouse).last_error
    assert deliver(warehouse, transport, at=after(minutes=1)).sent == 2
    assert inbox.subjects() == ["one", "one", "two"]
    assert inbox.mails[0]["Message-ID"] == inbox.mails[1]["Message-ID"]


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
def test_a_slow_server_costs_an_attempt_and_no_message(warehouse: Engine, inbox: Inbox, stage: str) -> None:
    queue(warehouse, message())
    inbox.stalls_at = stage
    with SmtpTransport("127.0.0.1", inbox.port, sender="a@shop.example", timeout=0.2) as hasty:
        assert deliver(warehouse, hasty, at=NOON) == Delivery(sent=0, failed=1, dead=0)
        assert "timed out" in row(warehouse).last_error
        inbox.stalls_at = ""
    with SmtpTransport("127.0.0.1", inbox.port, sender="a@shop.example") as patient:
        assert deliver(warehouse, patient, at=after(minutes=1)).sent == 1


def test_an_agent_without_an_address_is_named_in_the_row_and_gets_it_once_there_is_one(
    warehouse: Engine, inbox: Inbox, transport: SmtpTransport
) -> None:
    queue(warehouse, message(recipient="Ana Lima"))
    assert deliver(warehouse, transport, at=NOON) == Delivery(sent=0, failed=1, dead=0)
    assert row(warehouse).last_error == "this agent has no e-mail address: add one in agents.yaml"
    assert deliver(warehouse, transport, at=after(hours=1), addresses={"Ana Lima": ANA}).sent == 1
    assert inbox.mails[0]["To"] == ANA


def test_what_cannot_be_written_as_mail_is_given_up_and_stops_nothing(
    warehouse: Engine, inbox: Inbox, transport: SmtpTransport
) -> None:
    queue(warehouse, message("one\nBcc: x@y.example"), message("two"))
    assert deliver(warehouse, transport, at=NOON) == Delivery(sent=1, failed=0, dead=1)
    assert inbox.subjects() == ["two"]


ANSWERS = st.lists(st.sampled_from(["451 later", "421 closing", "550 no", "hangs up"]), max_size=3)


@hypothesis.settings(
    max_examples=12, deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)
@hypothesis.given(recipients=st.lists(st.integers(0, 2), min_size=1, max_size=6), answers=st.tuples(*[ANSWERS] * 3))
def test_whatever_the_server_answers_each_message_goes_out_once_and_in_order_or_is_dead(
    warehouse: Engine, inbox: Inbox, recipients: list[int], answers: tuple[list[str], ...]
) -> None:
    with warehouse.begin() as connection:
        connection.execute(text("delete from pii.outbox"))
    inbox.mails.clear()
    addresses = [f"agent{number}@shop.example" for number in range(3)]
    inbox.answers = {
        a: [each for each in given if each != "hangs up"] for a, given in zip(addresses, answers, strict=True)
    }
    inbox.hangs_up = lost = sum(given.count("hangs up") for given in answers)
    queue(warehouse, *(message(str(number), addresses[to]) for number, to in enumerate(recipients)))
    with SmtpTransport("127.0.0.1", inbox.port, sender="support-desk@shop.example") as transport:
        for hour in range(MAX_ATTEMPTS):
            deliver(warehouse, transport, at=after(hours=hour))
    with warehouse.connect() as connection:
        states = dict(connection.execute(text("select subject, state from pii.outbox")).tuples().all())
    assert set(states.values()) <= {"sent", "dead"}
    once = list(dict.fromkeys(inbox.subjects()))
    assert {subject for subject, state in states.items() if state == "sent"} == set(once)
    assert len(inbox.mails) - len(once) <= lost, "only what the server took without an answer came twice"
    for to in range(3):
        own = [int(subject) for subject in inbox.subjects() if recipients[int(subject)] == to]
        assert own == sorted(own)


# ---------- channels


class Chat:
    """Takes what comes, or says that nothing can."""

    def __init__(self) -> None:
        self.taken: list[Outgoing] = []

    def send(self, message: Outgoing) -> None:
        self.taken.append(message)


def test_a_mail_server_that_is_down_does_not_hold_back_chat(warehouse: Engine) -> None:
    queue(warehouse, message(), message("two"))
    queue(warehouse, replace(message("ping", "chat_ana"), channel="chat"))
    chat, nowhere = Chat(), SmtpTransport("127.0.0.1", 1, sender="a@shop.example")
    with pytest.raises(TransportUnavailable):
        deliver(warehouse, ByChannel({"email": nowhere, "chat": chat}), at=NOON)
    assert [(each.recipient, each.subject) for each in chat.taken] == [("chat_ana", "ping")]
    assert row(warehouse).attempts == 0


def test_a_channel_that_is_not_there_keeps_its_messages(warehouse: Engine, inbox: Inbox) -> None:
    queue(warehouse, message(), replace(message("ping", "chat_ana"), channel="chat"))
    assert deliver(warehouse, Chat(), at=NOON, channels=["chat"]).sent == 1
    assert row(warehouse).state == "waiting"


# ---------- holding, and what people do


def test_nothing_goes_out_while_sending_is_held(warehouse: Engine, inbox: Inbox, transport: SmtpTransport) -> None:
    queue(warehouse, message())
    with warehouse.begin() as connection:
        assert outbox_desk.hold(connection, "new mail server", at=NOON).waiting == 1
    assert deliver(warehouse, transport, at=NOON) == Delivery(sent=0, failed=0, dead=0)
    assert queue(warehouse, message("two")) == [True]
    with warehouse.begin() as connection:
        held = outbox_desk.hold(connection, "again", at=after(hours=1))
        assert (held.held_at, held.reason, held.waiting) == (NOON, "new mail server", 2)
        assert outbox_desk.release(connection, at=after(hours=1))
        assert not outbox_desk.release(connection, at=after(hours=1))
        assert outbox_desk.holding(connection) is None
    assert deliver(warehouse, transport, at=after(hours=1)).sent == 2


def test_a_hold_stops_a_delivery_that_is_under_way(warehouse: Engine) -> None:
    class Holds(Chat):
        def send(self, message: Outgoing) -> None:
            super().send(message)
            with warehouse.begin() as connection:
                outbox_desk.hold(connection, "stop", at=NOON)

    queue(warehouse, message("one"), message("two"))
    assert deliver(warehouse, Holds(), at=NOON).sent == 1


def test_dead_letters_are_listed_and_sent_again(warehouse: Engine, inbox: Inbox, transport: SmtpTransport) -> None:
    inbox.answers[ANA] = ["550 no such user"]
    queue(warehouse, message("one"), message("two", YUKI))
    deliver(warehouse, transport, at=NOON)
    with warehouse.begin() as connection:
        (dead,) = outbox_desk.messages_in(connection, ["dead"], at=NOON)
        assert (dead["recipient"], dead["subject"], dead["last_error"]) == ("…@shop.example", "", "550 no such user")
        assert outbox_desk.retry(connection, [], at=after(hours=1)) == 1
    assert deliver(warehouse, transport, at=NOON).sent == 0
    assert deliver(warehouse, transport, at=after(hours=1)).sent == 1
    assert inbox.subjects() == ["two", "one"]


def test_what_was_sent_is_neither_cancelled_nor_sent_again(warehouse: Engine, transport: SmtpTransport) -> None:
    queue(warehouse, message("one"), message("two"))
    deliver(warehouse, transport, at=NOON, limit=1)
    ids = [row(warehouse, subject).outbox_id for subject in ("one", "two")]
    with warehouse.begin() as connection:
        assert outbox_desk.cancel(connection, ids, at=NOON) == 1
        assert deliver(warehouse, transport, at=NOON).sent == 0
    with warehouse.begin() as connection:
        assert outbox_desk.retry(connection, ids, at=NOON) == 1
    assert deliver(warehouse, transport, at=NOON).sent == 1


def test_a_message_is_shown_without_personal_data_unless_asked_for(warehouse: Engine) -> None:
    queue(warehouse, message("Buyer waits"))
    number = row(warehouse, "Buyer waits").outbox_id
    with warehouse.begin() as connection:
        veiled = outbox_desk.render_message(outbox_desk.message(connection, number))
        full = outbox_desk.render_message(outbox_desk.message(connection, number, with_personal_data=True))
        with pytest.raises(outbox_desk.UnknownMessage, match="no message 0 in the outbox"):
            outbox_desk.message(connection, 0)
    assert "ana@" not in veiled
    assert "Buyer waits" not in veiled
    assert "ana@" in full
    assert full.count("Buyer waits") == 2


# ---------- crashes


def test_a_crash_before_sending_loses_nothing(warehouse: Engine, inbox: Inbox, transport: SmtpTransport) -> None:
    queue(warehouse, message())
    with pytest.raises(RuntimeError):
        deliver(warehouse, Breaks(), at=NOON)
    assert deliver(warehouse, transport, at=NOON).sent == 1
    assert len(inbox.mails) == 1


def test_a_crash_between_sending_and_commit_sends_the_same_message_id_again(
    warehouse: Engine, inbox: Inbox, transport: SmtpTransport
) -> None:
    queue(warehouse, message())
    with pytest.raises(RuntimeError):
        deliver(warehouse, Breaks(transport), at=NOON)
    assert deliver(warehouse, transport, at=NOON).sent == 1
    assert [mail["Message-ID"] for mail in inbox.mails] == [row(warehouse).message_id] * 2


KILLED = """
import sys, time
from datetime import datetime
from amazon_support.outputs import outbox
from amazon_support.outputs import outbox_desk
from amazon_support.outputs.channels import SmtpTransport
from amazon_support.warehouse import engine

url, at, port, stage = sys.argv[1:]
smtp = SmtpTransport("127.0.0.1", int(port), sender="support-desk@shop.example")

class Hangs:
    def send(self, message):
        if stage == "claimed":
            hang()
        smtp.send(message)
        if stage == "answered":
            hang()

def hang():
    print("hangs", flush=True)
    time.sleep(600)

outbox.deliver(engine(url), Hangs(), at=datetime.fromisoformat(at))
"""


@pytest.mark.parametrize(
    ("stage", "copies"),
    [("claimed", 1), ("EHLO", 1), ("MAIL", 1), ("RCPT", 1), ("DATA", 1), ("KEPT", 2), ("answered", 2)],
)
def test_a_killed_deliverer_loses_nothing_and_doubles_only_what_the_server_had_taken(
    warehouse: Engine, warehouse_url: str, inbox: Inbox, transport: SmtpTransport, stage: str, copies: int
) -> None:
    queue(warehouse, message("one"), message("two"))
    inbox.stalls_at = stage
    arguments = [sys.executable, "-c", KILLED, warehouse_url, NOON.isoformat(), str(inbox.port), stage]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        if stage in ("claimed", "answered"):
            assert process.stdout.readline() == "hangs\n"
        else:
            assert inbox.reached.wait(60)
        assert deliver(warehouse, transport, at=NOON).sent == 0, "its message is locked, and the next must wait"
        process.send_signal(signal.SIGKILL)
        process.wait()
    if stage not in ("claimed", "answered"):
        assert inbox.left.wait(60)
    inbox.stalls_at = ""
    while "two" not in inbox.subjects():  # until PostgreSQL has noticed
        deliver(warehouse, transport, at=NOON)
    assert inbox.subjects() == ["one"] * copies + ["two"]
    assert len({mail["Message-ID"] for mail in inbox.mails}) == 2
