"""Checked mail becomes facts: mails, and events on the ticket that each belongs to."""

import dataclasses
from datetime import timedelta

import pytest
from landing import (
    ALIAS,
    BUYER_KEY,
    NOON,
    ORDER,
    everything_in,
    iso,
    land_some_mail,
    land_some_orders,
    let_pass,
    mail,
    named,
    order,
    rows,
)
from sqlalchemy import Connection, text

from amazon_support import settings, tickets
from amazon_support.warehouse import land
from amazon_support.warehouse.land import MailRow, batches
from amazon_support.warehouse.land.mail import buyer_ref

SETTINGS = settings.load()
OTHER_ORDER = "302-1234567-7654321"
REF = buyer_ref(ALIAS, BUYER_KEY)
HOUR = timedelta(hours=1)


def publish(connection: Connection, *mails: MailRow, account: str = "main") -> int:
    """Lands the mails as one batch and publishes what is there."""
    if mails:
        land_some_mail(connection, *mails, account=account)
    let_pass(connection)
    land.publish_orders(connection, SETTINGS)
    return land.publish_mail(connection, SETTINGS)


def ticket_of(connection: Connection, name: str) -> str | None:
    """Key of the ticket on which the mail is an event; None if it is only filed."""
    found = rows(connection, "select ticket_key from core.ticket_event where source_id = :id", id=named(name))
    assert rows(connection, "select ticket_key from core.mail where mail_id = :id", id=named(name)) == (
        found or [(None,)]
    )
    return found[0][0] if found else None


def event(connection: Connection, name: str, columns: str) -> tuple[object, ...] | None:
    found = rows(connection, f"select {columns} from core.ticket_event where source_id = :id", id=named(name))
    return found[0] if found else None


# ---------- the mail itself


def test_a_mail_is_filed_with_its_people_and_words_apart(connection: Connection) -> None:
    publish(
        connection,
        mail(
            "question",
            order_ids=[ORDER],
            buyer_name="Mia Muster",
            buyer_alias=ALIAS,
            attachments=[{"name": "photo-of-mia.jpg", "type": "image/jpeg", "size": 5}],
            text="Ich wohne im Musterweg 7",
        ),
    )
    assert rows(
        connection,
        "select kind, direction, marketplace, order_ids, buyer_ref, attachment_count, signals, ticket_key "
        "from core.mail",
    ) == [("buyer_message", "inbound", "DE", [ORDER], REF, 1, ["header:type"], f"DE:order:{ORDER}")]
    assert rows(connection, "select buyer_name, buyer_name_key, buyer_alias, body, message_id from pii.mail") == [
        ("Mia Muster", "mia muster", ALIAS, "Ich wohne im Musterweg 7", "<question@mail.example>")
    ]
    outside = everything_in(connection, "raw", "core", "ops")
    for private in ("Muster", "mia", ALIAS, "Anfrage"):
        assert private not in outside


def test_a_date_after_we_received_the_mail_counts_as_when_we_received_it(connection: Connection) -> None:
    publish(connection, mail("ahead", sent_at=iso(NOON + HOUR)))
    assert event(connection, "ahead", "occurred_at") == (NOON + timedelta(minutes=1),)


def test_the_same_mail_in_later_batches_and_mailboxes_changes_nothing(connection: Connection) -> None:
    question, reply = mail("question", order_ids=[ORDER]), mail("reply", "reply_copy", order_ids=[ORDER])
    publish(connection, question, reply)
    connection.exec_driver_sql("delete from ops.ticket_touched")
    before = everything_in(connection, "core"), rows(connection, "select * from pii.mail order by mail_id")
    land_some_mail(connection, question)
    publish(connection, dataclasses.replace(reply, uid=77))
    assert (everything_in(connection, "core"), rows(connection, "select * from pii.mail order by mail_id")) == before
    assert rows(connection, "select * from ops.ticket_touched") == []


def test_a_large_import_tells_the_planner_on_the_way(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "LARGE_IMPORT", 3)
    known = "select reltuples from pg_class where oid = 'core.mail'::regclass"
    publish(connection, mail("a"), mail("b"))
    assert rows(connection, known) == [(-1,)]
    publish(connection, mail("c"), mail("d"), mail("e"))
    assert rows(connection, known) == [(5,)]


def test_one_message_to_two_accounts_is_an_event_of_each(connection: Connection) -> None:
    land_some_mail(connection, mail("question", order_ids=[ORDER]))
    publish(connection, mail("question", order_ids=[ORDER]), account="other")
    assert rows(connection, "select account, ticket_key from ops.ticket_touched order by 1") == [
        ("main", f"DE:order:{ORDER}"),
        ("other", f"DE:order:{ORDER}"),
    ]


# ---------- kinds


@pytest.mark.parametrize(
    ("kind", "meaning", "expected"),
    [
        ("buyer_message", {}, ("buyer_message", "contact_buyer", "buyer")),
        ("reply_copy", {}, ("reply", None, "seller")),
        ("return_request", {}, ("notice", "return_request", "amazon")),
        ("cancellation_request", {}, ("notice", "cancellation", "amazon")),
        ("a_to_z_opened", {}, ("notice", "a_to_z_claim", "amazon")),
        ("chargeback", {}, ("notice", "chargeback", "amazon")),
        ("feedback_notice", {"rating": 1}, ("notice", "negative_feedback", "amazon")),
        ("feedback_notice", {"rating": 2}, ("notice", "negative_feedback", "amazon")),
        ("feedback_notice", {"rating": 3}, ("notice", "neutral_feedback", "amazon")),
        ("feedback_notice", {"rating": 4}, None),
        ("feedback_notice", {"rating": None}, None),
        ("performance_notification", {}, ("notice", "performance_notification", "amazon")),
        ("case_update", {}, ("notice", "case_update", "amazon")),
        ("system_qa", {}, ("notice", "system_qa", "amazon")),
        ("delivery_failure", {}, ("delivery_failure", "delivery_failure", "amazon")),
        ("buyer_opted_out", {}, ("delivery_failure", "delivery_failure", "amazon")),
        ("unknown", {}, ("notice", "unknown_mail", "amazon")),
        ("order_notice", {}, None),
        ("amazon_information", {}, None),
        ("imitation", {}, None),
        ("refund_notice", {}, None),
        ("a_to_z_decided", {}, None),
    ],
)
def test_what_each_kind_becomes(
    connection: Connection, kind: str, meaning: dict[str, object], expected: tuple[str, ...] | None
) -> None:
    publish(connection, mail("it", kind, order_ids=[ORDER], **meaning))
    assert event(connection, "it", "kind, ticket_type, actor") == expected
    assert rows(connection, "select kind from core.mail") == [(kind,)]
    assert len(rows(connection, "select * from ops.ticket_touched")) == (expected is not None)


@pytest.mark.parametrize("kind", ["refund_notice", "a_to_z_decided"])
def test_a_decision_is_a_note_on_the_orders_ticket_where_there_is_one(connection: Connection, kind: str) -> None:
    publish(connection, mail("it", kind, order_ids=[ORDER]), mail("question", order_ids=[ORDER]))
    assert event(connection, "it", "kind, ticket_key, detail ->> 'mail_kind'") == ("note", f"DE:order:{ORDER}", kind)


@pytest.mark.parametrize(
    ("kind", "meaning", "detail"),
    [
        (
            "a_to_z_opened",
            {"deadline": "2026-03-13T12:00:00Z", "amount": "24.90", "currency": "EUR"},
            {"deadline": "2026-03-13T12:00:00Z", "amount": 24.90, "currency": "EUR"},
        ),
        ("a_to_z_decided", {"decision": "charged", "appeal_until": "2026-04-09T12:00:00Z", "deadline": None},
         {"decision": "charged", "appeal_until": "2026-04-09T12:00:00Z"}),
        ("performance_notification", {"performance_issue": "product_safety", "deadline": "soon"},
         {"performance_issue": "product_safety"}),
        ("case_update", {"case_status": "needs_you"}, {"case_status": "needs_you"}),
        ("buyer_message", {"asks": "cancellation", "products": [{"asin": "B000000001"}]}, {"asks": "cancellation"}),
        (
            "return_request",
            {"products": [{"asin": "B000000001", "sku": None, "quantity": 2, "title": "Kanne", "comment": "Mia"}]},
            {"products": [{"asin": "B000000001", "quantity": 2}]},
        ),
        ("refund_notice", {"amount": "many", "currency": None}, {}),
    ],
)  # fmt: skip
def test_an_event_has_what_its_mail_says_and_nothing_personal(
    connection: Connection, kind: str, meaning: dict[str, object], detail: dict[str, object]
) -> None:
    publish(connection, mail("question", order_ids=[ORDER]), mail("it", kind, order_ids=[ORDER], **meaning))
    assert event(connection, "it", "detail - '{mail_kind,match}'::text[]") == (detail,)


def test_a_question_about_a_product_names_it(connection: Connection) -> None:
    publish(connection, mail("it", products=[{"asin": "B000000001", "title": "Kanne"}]))
    assert event(connection, "it", "detail -> 'products'") == ([{"asin": "B000000001"}],)


def test_an_automatic_reply_stays_marked(connection: Connection) -> None:
    publish(connection, mail("reply", "reply_copy", order_ids=[ORDER], is_automatic=True))
    assert event(connection, "reply", "kind, is_automatic") == ("reply", True)


# ---------- which ticket


def aged(days: float) -> str:
    return iso(NOON - timedelta(days=days))


@pytest.mark.parametrize(
    ("orders", "meaning", "ticket", "match", "ticket_type"),
    [
        pytest.param(
            [], {"order_ids": [ORDER]}, f"DE:order:{ORDER}", "explicit", "contact_buyer", id="order id in the mail"
        ),
        pytest.param(
            [],
            {"order_ids": [ORDER], "marketplace": None},
            f"-:order:{ORDER}",
            "explicit",
            "contact_buyer",
            id="nobody knows the marketplace",
        ),
        pytest.param(
            [order(salesChannel={"marketplaceId": "A13V1IB3VIYZZH"})],
            {"order_ids": [ORDER]},
            f"FR:order:{ORDER}",
            "explicit",
            "contact_buyer",
            id="the order knows its marketplace best",
        ),
        pytest.param(
            [order()],
            {"buyer_alias": "ABC123DEF456+1a2b3c4d@marketplace.amazon.de"},
            f"DE:order:{ORDER}",
            "recent",
            "contact_buyer",
            id="the only order of the alias",
        ),
        pytest.param(
            [order(), order(OTHER_ORDER)],
            {"buyer_alias": ALIAS},
            f"DE:buyer:{REF}",
            "none",
            "product_question",
            id="two orders of the alias",
        ),
        pytest.param(
            [order(createdTime=aged(61))],
            {"buyer_alias": ALIAS},
            f"DE:buyer:{REF}",
            "none",
            "product_question",
            id="an old order",
        ),
        pytest.param(
            [order(createdTime=aged(61)), order(OTHER_ORDER, createdTime=aged(59))],
            {"buyer_alias": ALIAS},
            f"DE:order:{OTHER_ORDER}",
            "recent",
            "contact_buyer",
            id="the only one of 60 days",
        ),
        pytest.param(
            [order(buyer={"buyerEmail": "no-reply-amazon-iba-buyer@marketplace.amazon.de"})],
            {"buyer_alias": "no-reply-amazon-iba-buyer@marketplace.amazon.de"},
            f"-:mail:{named('question')[:16]}",
            "none",
            "product_question",
            id="an alias that many share",
        ),
        pytest.param(
            [order(), order(OTHER_ORDER)],
            {"buyer_alias": ALIAS, "case_id": "1234567890"},
            "DE:case:1234567890",
            "none",
            "product_question",
            id="Amazon's case",
        ),
        pytest.param(
            [],
            {"order_ids": ["not an order"]},
            f"-:mail:{named('question')[:16]}",
            "none",
            "product_question",
            id="nothing",
        ),
    ],
)
def test_a_buyers_message_finds_its_ticket(
    connection: Connection,
    orders: list[dict[str, object]],
    meaning: dict[str, object],
    ticket: str,
    match: str,
    ticket_type: str,
) -> None:
    land_some_orders(connection, *orders)
    publish(connection, mail("question", **meaning))
    assert ticket_of(connection, "question") == ticket
    assert event(connection, "question", "detail ->> 'match', ticket_type") == (match, ticket_type)


def test_all_talk_of_an_order_is_one_ticket_whichever_mail_came_first(connection: Connection) -> None:
    publish(connection, mail("reply", "reply_copy", order_ids=[ORDER], marketplace=None))
    publish(connection, mail("question", order_ids=[ORDER], at=NOON - HOUR))
    land_some_orders(connection, order(salesChannel={"marketplaceId": "A13V1IB3VIYZZH"}))
    publish(connection, mail("second question", order_ids=[ORDER], at=NOON + HOUR))
    assert {ticket_of(connection, name) for name in ("reply", "question", "second question")} == {f"-:order:{ORDER}"}


def test_mails_of_one_batch_agree_on_the_marketplace_of_their_order(connection: Connection) -> None:
    publish(
        connection,
        mail("reply", "reply_copy", order_ids=[ORDER], marketplace=None),
        mail("question", order_ids=[ORDER], at=NOON - HOUR),
    )
    assert ticket_of(connection, "reply") == ticket_of(connection, "question") == f"DE:order:{ORDER}"


def test_a_support_case_is_its_own_ticket_even_when_it_names_an_order(connection: Connection) -> None:
    publish(
        connection,
        mail("opened", "case_update", case_id="77", order_ids=[ORDER]),
        mail("answered", "case_update", case_id="77"),
    )
    assert ticket_of(connection, "opened") == ticket_of(connection, "answered") == "DE:case:77"


def test_mail_that_nobody_recognised_is_a_ticket_of_its_own(connection: Connection) -> None:
    publish(connection, mail("riddle", "unknown", order_ids=[ORDER], case_id="77", buyer_alias=ALIAS))
    assert ticket_of(connection, "riddle") == f"-:mail:{named('riddle')[:16]}"
    assert rows(connection, "select * from core.amazon_order") == []


@pytest.mark.parametrize("kind", ["unknown", "imitation"])
def test_mail_that_nobody_vouches_for_makes_no_placeholders(connection: Connection, kind: str) -> None:
    publish(connection, mail("it", kind, order_ids=[ORDER]))
    assert rows(connection, "select * from core.amazon_order") == []


def test_every_order_that_a_mail_names_gets_a_placeholder_once(connection: Connection) -> None:
    publish(
        connection, mail("it", order_ids=[ORDER, OTHER_ORDER, "x"]), mail("again", "return_request", order_ids=[ORDER])
    )
    assert rows(connection, "select order_id, region, is_placeholder from core.amazon_order order by 1") == [
        (ORDER, "eu", True),
        (OTHER_ORDER, "eu", True),
    ]


# ---------- replies that name no order


def question(name: str, at: float = -2, **meaning: object) -> MailRow:
    return mail(name, at=NOON + at * HOUR, **({"buyer_name": "José Núñez", "case_id": name} | meaning))


def reply(name: str = "reply", at: float = 0, **meaning: object) -> MailRow:
    return mail(
        name, "reply_copy", at=NOON + at * HOUR, **({"buyer_name": "JOSE  NUNEZ", "marketplace": None} | meaning)
    )


UNKNOWN = f"-:mail:{named('reply')[:16]}"


@pytest.mark.parametrize(
    ("mails", "ticket"),
    [
        pytest.param([question("one"), reply()], "DE:case:one", id="the only question of that name"),
        pytest.param([question("one"), question("two"), reply()], UNKNOWN, id="two questions fit"),
        pytest.param([question("one", buyer_name="Ana Lima"), reply()], UNKNOWN, id="none fits"),
        pytest.param([question("one", at=1), reply()], UNKNOWN, id="asked after the reply"),
        pytest.param([question("one", at=-24 * 7 - 1), reply()], UNKNOWN, id="asked more than 7 days ago"),
        pytest.param([question("one", is_automatic=True), reply()], UNKNOWN, id="a machine asked"),
        pytest.param([question("one", buyer_name=None), reply(buyer_name=None)], UNKNOWN, id="no names"),
        pytest.param(
            [question("one"), question("two"), reply(in_reply_to="<two@mail.example>")],
            "DE:case:two",
            id="the mail it answers",
        ),
        pytest.param(
            [question("one"), question("two"), reply("answer", at=-1, in_reply_to="<one@mail.example>"), reply()],
            "DE:case:two",
            id="the other one is answered",
        ),
        pytest.param(
            [question("one"), reply("machine", at=-1, in_reply_to="<one@mail.example>", is_automatic=True), reply()],
            "DE:case:one",
            id="an automatic reply is no answer",
        ),
        pytest.param([question("one"), reply("answer", at=-1), reply()], UNKNOWN, id="it is answered already"),
        pytest.param(
            [question("one", at=-3), reply("answer", at=-2), question("two", at=-1), reply()],
            "DE:case:two",
            id="each reply answers what was open then",
        ),
        pytest.param(
            [question("one", buyer_alias=ALIAS), question("two", buyer_alias="x@marketplace.amazon.de")]
            + [reply(buyer_alias=ALIAS)],
            "DE:case:one",
            id="the alias tells namesakes apart",
        ),
    ],
)
@pytest.mark.parametrize("how", ["at once", "one by one", "the last first"])
def test_a_reply_without_an_order_finds_its_conversation(
    connection: Connection, mails: list[MailRow], ticket: str, how: str
) -> None:
    if how == "at once":
        publish(connection, *reversed(mails))
    else:
        for each in sorted(mails, key=lambda row: row.received_at, reverse=how == "the last first"):
            publish(connection, each)
    assert ticket_of(connection, "reply") == ticket
    kind = ("notice", "unknown_mail", "ambiguous_reply") if ticket == UNKNOWN else ("reply", None, None)
    assert event(connection, "reply", "kind, ticket_type, detail ->> 'reason'") == kind


@pytest.mark.parametrize(
    ("mails", "candidates"),
    [
        pytest.param([question("one", at=-3), question("two")], ["DE:case:two", "DE:case:one"], id="two fit"),
        pytest.param(
            [question("one", at=-3), question("two"), question("three"), reply("answer", at=-1, order_ids=[ORDER])]
            + [reply("to two", at=-1, in_reply_to="<two@mail.example>")],
            ["DE:case:three", "DE:case:one"],
            id="what is answered is none",
        ),
        pytest.param([question("one"), reply("answer", at=-1)], ["DE:case:one"], id="all are answered"),
        pytest.param([question("one", buyer_name="Ana Lima")], None, id="nobody of that name"),
    ],
)
def test_a_person_is_told_which_conversations_may_be_meant(
    connection: Connection, mails: list[MailRow], candidates: list[str] | None
) -> None:
    publish(connection, *mails, reply())
    assert event(connection, "reply", "detail -> 'candidates'") == (candidates,)


def test_a_reply_leaves_the_ticket_it_had_when_its_question_comes_after_all(connection: Connection) -> None:
    publish(connection, reply())
    connection.exec_driver_sql("delete from ops.ticket_touched")
    publish(connection, question("one"))
    assert ticket_of(connection, "reply") == "DE:case:one"
    assert rows(connection, "select ticket_key from ops.ticket_touched order by 1") == [(UNKNOWN,), ("DE:case:one",)]


def test_a_reply_on_which_a_person_has_worked_stays_where_it_is(connection: Connection) -> None:
    publish(connection, reply())
    connection.execute(
        text(
            "insert into core.ticket_event (account, source, source_id, ticket_key, kind, occurred_at, actor) "
            "values ('main', 'agent', '1', :ticket, 'solve', :at, 'kim')"
        ),
        {"ticket": UNKNOWN, "at": NOON + HOUR},
    )
    publish(connection, question("one"))
    assert ticket_of(connection, "reply") == UNKNOWN


@pytest.mark.parametrize("late", [{"is_automatic": True}, {"buyer_name": "Ana Lima"}, {"at": 1}, {"at": -24 * 7 - 1}])
def test_a_message_that_asked_for_no_answer_of_ours_opens_no_reply_again(
    connection: Connection, late: dict[str, object]
) -> None:
    publish(connection, question("one"), reply())
    connection.exec_driver_sql("delete from ops.ticket_touched")
    publish(connection, question("late", **late))  # type: ignore[arg-type]
    assert ticket_of(connection, "reply") == "DE:case:one"
    assert rows(connection, "select ticket_key from ops.ticket_touched") == [("DE:case:late",)]


def test_a_reply_never_crosses_accounts(connection: Connection) -> None:
    publish(connection, question("one"), account="other")
    publish(connection, reply(in_reply_to="<one@mail.example>"))
    assert ticket_of(connection, "reply") == UNKNOWN


def test_a_reply_with_an_order_may_come_before_its_question(connection: Connection) -> None:
    publish(connection, reply(order_ids=[ORDER]))
    publish(connection, question("one", order_ids=[ORDER]))
    assert ticket_of(connection, "reply") == ticket_of(connection, "one")


# ---------- one conversation under two names


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_case_that_names_its_order_later_is_one_ticket(connection: Connection, newest_first: bool) -> None:
    first = mail("first", at=NOON, case_id="9876543210", order_ids=[])
    second = mail("second", at=NOON + HOUR, case_id="9876543210", order_ids=[ORDER])
    for each in (second, first) if newest_first else (first, second):
        publish(connection, each)
        tickets.fold(connection, SETTINGS.policy)
    assert rows(connection, "select ticket_id, order_id, event_count from mart.ticket") == [
        ("DE:case:9876543210", ORDER, 3)
    ]


def test_other_cases_of_an_order_are_its_ticket_already(connection: Connection) -> None:
    publish(connection, *(mail(case, case_id=case, order_ids=[ORDER]) for case in ("1000000001", "1000000002")))
    assert rows(connection, "select count(*) from core.ticket_event where kind = 'merge'") == [(0,)]


def test_two_orders_in_one_case_stay_two_tickets(connection: Connection) -> None:
    other = "302-7654321-7654321"
    publish(connection, *(mail(order, case_id="9876543210", order_ids=[order]) for order in (ORDER, other)))
    assert rows(connection, "select count(*) from core.ticket_event where kind = 'merge'") == [(0,)]


# ---------- machines


def test_machine_mail_counts_as_no_question_and_no_answer(connection: Connection) -> None:
    publish(
        connection,
        mail("question", at=NOON - 5 * HOUR, order_ids=[ORDER]),
        mail("thanks", "reply_copy", at=NOON - 4 * HOUR, order_ids=[ORDER], is_automatic=True),
        mail("reply", "reply_copy", at=NOON - 3 * HOUR, order_ids=[ORDER]),
        mail("away", at=NOON - 2 * HOUR, order_ids=[ORDER], is_automatic=True),
    )
    tickets.fold(connection, SETTINGS.policy)
    statuses = "select status, from_at from mart.ticket_status where from_at <= :now order by from_at"
    assert rows(connection, statuses, now=NOON) == [("new", NOON - 5 * HOUR), ("pending", NOON - 3 * HOUR)]
    clocks = "select started_at, stopped_at from mart.sla_clock where metric = 'amazon_reply'"
    assert rows(connection, clocks) == [(NOON - 5 * HOUR, NOON - 3 * HOUR)]


# ---------- replies that did not arrive


def test_a_delivery_failure_names_the_reply_it_undoes(connection: Connection) -> None:
    publish(
        connection,
        mail("question", at=NOON - 3 * HOUR, order_ids=[ORDER]),
        mail("first", "reply_copy", at=NOON - 2 * HOUR, order_ids=[ORDER]),
        mail("second", "reply_copy", at=NOON - HOUR, order_ids=[ORDER]),
        mail("bounced", "delivery_failure", in_reply_to="<first@mail.example>"),
        mail("opted out", "buyer_opted_out", order_ids=[ORDER]),
    )
    named_replies = "kind, ticket_key, detail ->> 'reply'"
    assert event(connection, "bounced", named_replies) == ("delivery_failure", f"DE:order:{ORDER}", named("first"))
    assert event(connection, "opted out", named_replies) == ("delivery_failure", f"DE:order:{ORDER}", named("second"))


def test_a_delivery_failure_of_nothing_known_is_for_a_person(connection: Connection) -> None:
    publish(connection, mail("bounced", "delivery_failure", in_reply_to="<nobody@mail.example>"))
    assert event(connection, "bounced", "kind, ticket_type, ticket_key, detail ->> 'reason'") == (
        "notice",
        "unknown_mail",
        f"-:mail:{named('bounced')[:16]}",
        "unknown_reply",
    )


# ---------- a copy of our reply that came before the question


REPLIED = mail("early reply", "reply_copy", at=NOON + 2 * HOUR, buyer_name="Mia Muster")
ASKED = mail("late question", at=NOON, order_ids=[ORDER], buyer_name="Mia Muster", buyer_alias=ALIAS)


def test_a_reply_that_came_first_joins_its_question_when_that_comes(connection: Connection) -> None:
    publish(connection, REPLIED)
    assert event(connection, "early reply", "kind, detail ->> 'reason'") == ("notice", "ambiguous_reply")
    publish(connection, ASKED)
    assert ticket_of(connection, "early reply") == ticket_of(connection, "late question") == f"DE:order:{ORDER}"
    assert event(connection, "early reply", "kind, detail ->> 'match'") == ("reply", "buyer")
    touched = rows(connection, "select ticket_key from ops.ticket_touched")
    assert {key for (key,) in touched} == {f"DE:order:{ORDER}", f"-:mail:{named('early reply')[:16]}"}


def test_a_reply_that_names_the_mail_it_answers_joins_it_whoever_wrote(connection: Connection) -> None:
    publish(
        connection,
        mail("early reply", "reply_copy", at=NOON + 9 * 24 * HOUR, in_reply_to="<late question@mail.example>"),
    )
    publish(connection, ASKED)
    assert event(connection, "early reply", "kind, ticket_key") == ("reply", f"DE:order:{ORDER}")


def test_a_question_asked_after_the_reply_is_not_what_it_answers(connection: Connection) -> None:
    publish(connection, REPLIED)
    publish(connection, mail("later", at=NOON + 3 * HOUR, order_ids=[ORDER], buyer_name="Mia Muster"))
    assert event(connection, "early reply", "kind") == ("notice",)


def test_a_reply_that_a_person_has_dealt_with_stays_where_it_is(connection: Connection) -> None:
    publish(connection, REPLIED)
    connection.exec_driver_sql(
        "insert into core.ticket_event (account, source, source_id, ticket_key, kind, occurred_at, actor) "
        "select account, 'desk', 'decided', ticket_key, 'solve', occurred_at, 'ana' from core.ticket_event"
    )
    publish(connection, ASKED)
    assert event(connection, "early reply", "kind") == ("notice",)


def test_a_reply_that_fits_several_names_them_for_a_person(connection: Connection) -> None:
    first = mail("first", at=NOON, order_ids=[ORDER], buyer_name="Mia Muster")
    second = mail("second", at=NOON + HOUR, order_ids=[OTHER_ORDER], buyer_name="Mia Muster")
    publish(connection, first, second)
    publish(connection, REPLIED)
    assert event(connection, "early reply", "kind, detail -> 'candidates'") == (
        "notice",
        [f"DE:order:{OTHER_ORDER}", f"DE:order:{ORDER}"],
    )
