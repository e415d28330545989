"""An invented history of mail, and what reading it finds: the same as what was meant."""

from datetime import UTC, datetime
from typing import get_args

import pytest

from amazon_support.mail import Kind, MailFacts, explain
from sandbox.letters import Letter
from sandbox.world import SandboxMail, demo_sellers, generate

UNTIL = datetime(2026, 3, 14, 12, tzinfo=UTC)
Read = list[tuple[SandboxMail, Letter, MailFacts]]


@pytest.fixture(scope="module")
def read() -> Read:
    world = generate(seed=6, until=UNTIL, days=20, sellers=demo_sellers(), orders_per_day=12)
    explained = [(mail, explain(mail.raw, received_at=mail.received_at)) for mail in world.mails]
    return [(mail, world.truth[facts.message_id or ""], facts) for mail, facts in explained]


def plain(text: str) -> str:
    return " ".join(text.split())


def from_people(read: Read) -> Read:
    return [each for each in read if each[1].kind in {"buyer_message", "reply_copy"}]


def test_every_mail_is_of_the_kind_that_was_meant(read: Read) -> None:
    assert [(meant.kind, facts.kind, facts.signals) for _, meant, facts in read if facts.kind != meant.kind] == []
    assert {facts.kind for _, _, facts in read} == set(get_args(Kind))


def test_every_order_that_a_mail_names_is_found_first(read: Read) -> None:
    named = [(meant, facts) for mail, meant, facts in read if meant.order_id and meant.order_id.encode() in mail.raw]
    assert len(named) > 300
    assert [(meant.kind, facts.order_ids) for meant, facts in named if facts.order_ids[:1] != (meant.order_id,)] == []


def test_no_order_is_found_where_none_was_meant(read: Read) -> None:
    genuine = [(meant, facts) for _, meant, facts in read if meant.kind != "imitation"]
    assert [facts.order_ids for meant, facts in genuine if not meant.order_id and facts.order_ids] == []


def test_the_words_are_what_the_person_wrote(read: Read) -> None:
    assert [
        (meant.words, facts.text, facts.signals)
        for _, meant, facts in from_people(read)
        if plain(facts.text) != plain(meant.words)
    ] == []


def test_people_places_and_times(read: Read) -> None:
    for _, meant, facts in from_people(read):
        assert facts.buyer_name == meant.buyer_name
        assert facts.buyer_alias == meant.buyer_alias
        assert facts.is_automatic == meant.is_automatic
    for _, meant, facts in read:
        assert meant.marketplace in {None, facts.marketplace}
        assert facts.sent_at == meant.sent_at
        assert (facts.rating, facts.case_id if meant.case_id else None) == (meant.rating, meant.case_id)


def test_only_genuine_messages_of_buyers_have_a_link_to_act_on(read: Read) -> None:
    linked = [(mail, meant, facts) for mail, meant, facts in read if facts.no_response_link]
    assert {meant.kind for _, meant, _ in linked} == {"buyer_message"}
    assert len(linked) > 0.8 * sum(meant.kind == "buyer_message" for _, meant, _ in read)
