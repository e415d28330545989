"""What a notice tells beside what it lists: who pays, how a case stands, what is wrong with the account."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TypeVar

from amazon_support.mail.facts import Ask, CaseStatus, Decision, PerformanceIssue
from amazon_support.mail.rules import rules
from amazon_support.mail.senders import Sender

LONGEST_TEXT = 20_000
T = TypeVar("T")


def decision(sender: Sender, text: str) -> Decision | None:
    """Who pays, by the phrase that stands first: below it a notice says what would follow from an appeal."""
    if any(fnmatchcase(sender.address.local, each) for each in rules().undecided_senders):
        return None
    flat = _flat(text)
    found = [
        (match.start(), number, each.decision)
        for number, each in enumerate(rules().decisions)
        if (match := each.sentence.search(flat))
    ]
    return min(found)[2] if found else None


def case_status(subject: str, text: str) -> CaseStatus | None:
    """How a case of Seller Support stands; an answer to a case that says nothing else answers it."""
    told = [(each.status, each.sentence) for each in rules().case_statuses]
    found = _first(told, subject) or _first(told, _flat(text))
    if found is None and rules().answered.match(subject):
        return "answered"
    return found


def performance_issue(subject: str, text: str) -> PerformanceIssue | None:
    told = [(each.issue, each.sentence) for each in rules().performance_issues]
    return _first(told, subject) or _first(told, _flat(text))


def asks(words: str) -> Ask | None:
    """What a buyer asks for, by their own words."""
    return _first([(each.ask, each.sentence) for each in rules().asks], " ".join(words[:LONGEST_TEXT].split()))


def _first(told: Sequence[tuple[T, re.Pattern[str]]], text: str) -> T | None:
    return next((name for name, pattern in told if pattern.search(text)), None)


def _flat(text: str) -> str:
    """The text in one line, without Amazon's footer."""
    footer = rules().footer_mark.search(text)
    return " ".join(text[: footer.start() if footer else LONGEST_TEXT][:LONGEST_TEXT].split())
