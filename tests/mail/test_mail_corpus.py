"""Every kind of mail in every language: read as it was meant."""

from collections import Counter
from typing import Any

import pytest
from letters import Letter, corpus
from mail_builders import NOON

from amazon_support.mail import explain

LETTERS = corpus()
LANGUAGES = {"en", "de", "fr", "it", "es", "nl", "sv", "pl", "pt", "tr", "ja"}
EVERYWHERE = {
    "buyer_message",
    "reply_copy",
    "order_notice",
    "return_request",
    "refund_notice",
    "cancellation_request",
    "a_to_z_opened",
    "a_to_z_decided",
    "feedback_notice",
    "performance_notification",
    "case_update",
    "system_qa",
    "delivery_failure",
    "buyer_opted_out",
}
OF_NO_LANGUAGE = {"unknown", "imitation"}


def test_the_corpus_has_every_kind_in_every_language() -> None:
    there = {(letter.language, letter.kind) for letter in LETTERS}
    assert {(language, kind) for language in LANGUAGES for kind in EVERYWHERE} <= there
    assert {letter.language for letter in LETTERS} >= LANGUAGES | {"ar", "hi"}
    assert len(LETTERS) >= 180
    assert max(Counter((each.language, each.site, each.kind, each.name) for each in LETTERS).values()) == 1


@pytest.mark.parametrize("letter", LETTERS, ids=lambda each: f"{each.language}-{each.kind}-{each.name}")
def test_a_mail_is_read_as_it_was_meant(letter: Letter) -> None:
    facts = explain(letter.raw, received_at=NOON)
    assert (facts.kind, facts.sent_at) == (letter.kind, NOON), facts.signals
    found = facts.model_dump(mode="json")
    assert {name: _like(found[name], wanted) for name, wanted in letter.expect.items()} == letter.expect
    if letter.kind in {"buyer_message", "reply_copy"}:
        assert facts.language == letter.language
        assert not any(mark in facts.text for mark in ("Copyright", "commMgrTok", "no-response-needed"))
    if letter.kind not in OF_NO_LANGUAGE:
        assert facts.confidence >= 0.5
        assert facts.direction == {"buyer_message": "inbound", "reply_copy": "outbound"}.get(letter.kind, "system")


def _like(found: Any, wanted: Any) -> Any:
    """What was found, with only those fields of each product that are wanted."""
    if not isinstance(wanted, list) or not wanted or not isinstance(wanted[0], dict):
        return found
    if len(found) != len(wanted):
        return found
    return [{name: has[name] for name in wants} for has, wants in zip(found, wanted, strict=True)]
