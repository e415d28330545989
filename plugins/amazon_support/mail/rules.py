"""The settings by which mail is recognised (include/settings/mail_rules.yaml), compiled once."""

import re
from dataclasses import dataclass
from functools import cache, cached_property

from pydantic import BaseModel, ConfigDict, field_validator

from amazon_support.mail.facts import Kind
from amazon_support.settings import Marketplace, load_file

Phrases = dict[str, tuple[str, ...]]

# Any run of these at least three long is a line of dashes. Possessive: a hostile mail can be one long line of them.
DASH = r"\-‐‑‒–—―−─━－…"
DASHES = rf"(?<![{DASH}])(?:[{DASH}]{{3,}}+|…)"
GAP = r"(?s:.{0,200}?)"
LINE_GAP = r"[^\n]{0,160}?(?:\n[^\n]{0,80}?)?"  # mail programs break the line once
NAME = r"(?P<name>\S.{0,150}?)"
TOKENS = re.compile(r"(…|\{name\}|\s+|['’]|-|[:：])")
SPECIAL = {"…": GAP, "{name}": NAME, "'": "['’]", "’": "['’]", "-": "[-‐‑–]?", ":": r"\s*[:：]", "：": r"\s*[:：]"}


def pattern(phrase: str) -> str:
    """Regular expression of a phrase of the settings (see the head of mail_rules.yaml)."""
    phrase, anchored = phrase.removeprefix("^"), phrase.startswith("^")
    found = "".join(_token(token) for token in TOKENS.split(phrase) if token)
    if phrase.endswith("{name}"):
        found += r"\s*(?:[(（\[].*)?$"
    return ("^" if anchored else "") + found


def _token(token: str) -> str:
    return r"\s*" if token.isspace() else SPECIAL.get(token) or re.escape(token)


def any_of(phrases: list[str]) -> str:
    """Regular expression that fits where one of the phrases does, without groups."""
    return "(?:" + "|".join(pattern(phrase).replace("?P<name>", "?:") for phrase in phrases) + ")"


def key(words: str) -> str:
    """Words without case, spaces and form of colon: equal keys, same words."""
    return re.sub(r"\s+", "", words).replace("：", ":").casefold()


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KindPhrases(_Model):
    """Phrases that tell one kind, by language."""

    kind: Kind
    phrases: Phrases

    @cached_property
    def any(self) -> re.Pattern[str]:
        """Fits where one of the phrases does: most mail is done with after this."""
        return re.compile(any_of([phrase for each in self.phrases.values() for phrase in each]), re.IGNORECASE)

    @cached_property
    def each(self) -> tuple[tuple[str, re.Pattern[str]], ...]:
        """(language, pattern) of every phrase; a pattern can have the group `name`."""
        return tuple(
            (language, re.compile(pattern(phrase), re.IGNORECASE))
            for language, phrases in self.phrases.items()
            for phrase in phrases
        )

    def match(self, text: str) -> tuple[str, str | None] | None:
        """(language, the name in the text) if a phrase fits; one that finds a name is preferred."""
        if not self.any.search(text):
            return None
        found = [(language, match) for language, each in self.each if (match := each.search(text))]
        named = [(language, m["name"].strip()) for language, m in found if "name" in m.re.groupindex]
        return named[0] if named else (found[0][0], None)


class Frame(_Model):
    begin: tuple[str, ...]
    end: tuple[str, ...]


class CustomerService(_Model):
    details: Phrases
    below: Phrases


class HeaderBlock(_Model):
    first: tuple[str, ...]
    next: tuple[str, ...]


class MailRules(_Model):
    """Shape of mail_rules.yaml; what each part means is said there."""

    authentication_servers: tuple[str, ...]
    trusted_domains: tuple[str, ...]
    seller_central_hosts: tuple[str, ...]
    claimed_names: tuple[str, ...]
    notification_types: dict[str, Kind]
    senders: dict[str, Kind]
    senders_after_subject: dict[str, Kind]
    subject_tags: tuple[str, ...]
    subjects: tuple[KindPhrases, ...]
    texts: tuple[KindPhrases, ...]
    frames: dict[str, Frame]
    customer_service: CustomerService
    quote_lines: Phrases
    original_message: tuple[str, ...]
    header_block: HeaderBlock
    footer: tuple[str, ...]
    case_labels: tuple[str, ...]
    common_words: Phrases

    @field_validator("common_words")
    @classmethod
    def _lower(cls, value: Phrases) -> Phrases:
        return {language: tuple(word.lower() for word in words) for language, words in value.items()}

    @cached_property
    def claims(self) -> re.Pattern[str]:
        return re.compile(rf"^{any_of(list(self.claimed_names))}$", re.IGNORECASE)

    @cached_property
    def tags(self) -> re.Pattern[str]:
        return re.compile(rf"^(?:\s*{any_of(list(self.subject_tags))})+\s*", re.IGNORECASE)

    @cached_property
    def frame_mark(self) -> re.Pattern[str]:
        """A line of dashes with known words (group begin or end)."""
        begin = any_of([words for frame in self.frames.values() for words in frame.begin])
        end = any_of([words for frame in self.frames.values() for words in frame.end])
        words = rf"(?:(?P<begin>{begin})|(?P<end>{end}))"
        return re.compile(rf"{DASHES}\s*+{words}[ \t]*(?:{DASHES}|$)", re.IGNORECASE | re.MULTILINE)

    @cached_property
    def frame_languages(self) -> dict[str, frozenset[str]]:
        """Languages of the words of a frame, by key(words)."""
        found: dict[str, set[str]] = {}
        for language, frame in self.frames.items():
            for words in (*frame.begin, *frame.end):
                found.setdefault(key(words), set()).add(language)
        return {words: frozenset(languages) for words, languages in found.items()}

    @cached_property
    def quote_line(self) -> re.Pattern[str]:
        lines = any_of([phrase for each in self.quote_lines.values() for phrase in each]).replace(GAP, LINE_GAP)
        return re.compile(rf"^(?=[^\n]*\d)[ \t]*{lines}[ \t]*$", re.IGNORECASE | re.MULTILINE)

    @cached_property
    def original(self) -> re.Pattern[str]:
        return re.compile(
            rf"^[ \t]*{DASHES}\s*+{any_of(list(self.original_message))}\s*+{DASHES}", re.IGNORECASE | re.MULTILINE
        )

    @cached_property
    def headers_above(self) -> re.Pattern[str]:
        """From: line and, within the next lines, two more of the kind."""
        first, following = (
            "|".join(map(re.escape, labels)) for labels in (self.header_block.first, self.header_block.next)
        )
        line = r"[^\n]{0,300}\n"
        more = rf"(?:\*?(?:{following})\*?\s*[:：]{line})"
        return re.compile(
            rf"^\*?(?:{first})\*?\s*[:：]{line}{more}(?:[ \t]+{line})?{more}",
            re.IGNORECASE | re.MULTILINE,
        )

    @cached_property
    def footer_mark(self) -> re.Pattern[str]:
        links = r"/no-response-needed|/messaging/inbox\?fi="
        return re.compile(rf"{any_of(list(self.footer))}|\bSPC-\w{{0,20}}Amazon-\d+|{links}", re.IGNORECASE)

    @cached_property
    def details_label(self) -> re.Pattern[str]:
        labels = any_of([phrase for each in self.customer_service.details.values() for phrase in each])
        return re.compile(rf"^[ \t]*{labels}", re.IGNORECASE | re.MULTILINE)

    @cached_property
    def below_details(self) -> re.Pattern[str]:
        lines = any_of([phrase for each in self.customer_service.below.values() for phrase in each])
        return re.compile(rf"^[ \t]*{lines}", re.IGNORECASE | re.MULTILINE)

    @cached_property
    def case_number(self) -> re.Pattern[str]:
        """A Seller Support case number: in brackets in a subject, or after a label in the text."""
        label = any_of(list(self.case_labels))
        return re.compile(
            rf"\[[^\]\d]{{1,20}}(?P<subject>\d{{8,20}})\s*\]|{label}\s*(?P<text>\d{{8,20}})\b", re.IGNORECASE
        )


class _Sites(BaseModel):
    marketplaces: tuple[Marketplace, ...]


@dataclass(frozen=True)
class Sites:
    """Amazon's sites by domain (amazon.de) and by id."""

    by_domain: dict[str, Marketplace]
    by_id: dict[str, Marketplace]
    by_country: dict[str, Marketplace]


@cache
def rules() -> MailRules:
    """The rules of the settings, read once a process.

    Raises: SettingsError with file, line and what was expected.
    """
    return load_file("mail_rules.yaml", MailRules)


@cache
def sites() -> Sites:
    """The marketplaces of the settings, read once a process.

    Raises: SettingsError with file, line and what was expected.
    """
    found = load_file("marketplaces.yaml", _Sites).marketplaces
    return Sites(
        by_domain={site.domain: site for site in found},
        by_id={site.marketplace_id: site for site in found},
        by_country={site.country: site for site in found},
    )
