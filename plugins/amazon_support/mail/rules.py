"""The settings by which mail is recognised (include/settings/mail_rules.yaml), compiled once."""

import re
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from amazon_support.mail.facts import Ask, CaseStatus, Decision, Kind, PerformanceIssue
from amazon_support.mail.phrases import DASHES, GAP, LINE_GAP, SENTENCE_GAP, STARS, any_of, key, label_key, pattern
from amazon_support.settings import Marketplace, load_file

Phrases = dict[str, tuple[str, ...]]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
FIELDS = ("order", "asin", "sku", "title", "quantity", "reason", "comment", "amount", "total", "deadline", "tracking",
          "carrier", "other")  # fmt: skip
UNITS = ("hours", "working_days", "days", "weeks")


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError) as error:
        raise ValueError("expected a time zone such as Europe/Berlin") from error
    return name


def _all(phrases: Phrases) -> list[str]:
    return [phrase for each in phrases.values() for phrase in each]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Told(_Model):
    """Phrases that tell one thing, by language."""

    phrases: Phrases

    @cached_property
    def any(self) -> re.Pattern[str]:
        """Fits where one of the phrases does: most mail is done with after this."""
        return re.compile(any_of(_all(self.phrases)), re.IGNORECASE)

    @cached_property
    def each(self) -> tuple[tuple[str, re.Pattern[str]], ...]:
        """(language, pattern) of every phrase; a pattern can have the group `name`."""
        return tuple(
            (language, re.compile(pattern(phrase), re.IGNORECASE))
            for language, phrases in self.phrases.items()
            for phrase in phrases
        )

    @cached_property
    def sentence(self) -> re.Pattern[str]:
        """Like `any`, with gaps that stay within a sentence."""
        return re.compile(any_of(_all(self.phrases)).replace(GAP, SENTENCE_GAP), re.IGNORECASE)


class KindPhrases(_Told):
    kind: Kind

    def match(self, text: str) -> tuple[str, str | None] | None:
        """(language, the name in the text) if a phrase fits; one that finds a name is preferred."""
        if not self.any.search(text):
            return None
        found = [(language, match) for language, each in self.each if (match := each.search(text))]
        named = [(language, m["name"].strip()) for language, m in found if "name" in m.re.groupindex]
        return named[0] if named else (found[0][0], None)


class DecisionPhrases(_Told):
    decision: Decision


class StatusPhrases(_Told):
    status: CaseStatus


class IssuePhrases(_Told):
    issue: PerformanceIssue


class Frame(_Model):
    begin: tuple[str, ...]
    end: tuple[str, ...]


class AskPhrases(_Told):
    ask: Ask


class CustomerService(_Model):
    details: Phrases
    below: Phrases


class HeaderBlock(_Model):
    first: tuple[str, ...]
    next: tuple[tuple[str, ...], ...]


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
    common_words: Phrases
    labels: dict[str, Phrases]
    case_labels: tuple[str, ...]
    ratings: Phrases
    currencies: dict[Currency, tuple[str, ...]]
    site_currencies: dict[Country, Currency]
    month_first: tuple[Country, ...]
    months: dict[str, Annotated[tuple[tuple[str, ...], ...], Field(min_length=12, max_length=12)]]
    units: dict[str, Phrases]
    deadlines: Phrases
    appeals: Phrases
    time_zones: dict[str, Annotated[str, AfterValidator(_known_zone)]]
    decisions: tuple[DecisionPhrases, ...]
    undecided_senders: tuple[str, ...]
    case_statuses: tuple[StatusPhrases, ...]
    performance_issues: tuple[IssuePhrases, ...]
    asks: tuple[AskPhrases, ...]
    link_purposes: dict[str, tuple[str, ...]]

    @field_validator("common_words")
    @classmethod
    def _lower(cls, value: Phrases) -> Phrases:
        return {language: tuple(word.lower() for word in words) for language, words in value.items()}

    @field_validator("labels", "units")
    @classmethod
    def _names_known(cls, value: dict[str, Phrases], info: ValidationInfo) -> dict[str, Phrases]:
        known = FIELDS if info.field_name == "labels" else UNITS
        if unknown := set(value).symmetric_difference(known):
            raise ValueError(f"expected exactly {', '.join(known)}; not so: {', '.join(sorted(unknown))}")
        fields: dict[str, str] = {}
        for field, languages in value.items():
            for label in _all(languages):
                if fields.setdefault(label_key(label), field) != field:
                    raise ValueError(f"{label!r} stands under {fields[label_key(label)]} and {field}: expected once")
        return value

    @cached_property
    def claims(self) -> re.Pattern[str]:
        return re.compile(rf"^{any_of(list(self.claimed_names))}$", re.IGNORECASE)

    @cached_property
    def tags(self) -> re.Pattern[str]:
        return re.compile(rf"^(?:\s*{any_of(list(self.subject_tags))})+\s*", re.IGNORECASE)

    @cached_property
    def answered(self) -> re.Pattern[str]:
        """A subject that begins with Re: or the like."""
        return re.compile(any_of([tag for tag in self.subject_tags if tag.endswith(":")]), re.IGNORECASE)

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
        lines = any_of(_all(self.quote_lines)).replace(GAP, LINE_GAP)
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
            "|".join(map(re.escape, labels)) for labels in (self.header_block.first, sum(self.header_block.next, ()))
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
        labels = any_of(_all(self.customer_service.details))
        return re.compile(rf"^[ \t]*{labels}", re.IGNORECASE | re.MULTILINE)

    @cached_property
    def below_details(self) -> re.Pattern[str]:
        lines = any_of(_all(self.customer_service.below))
        return re.compile(rf"^[ \t]*{lines}", re.IGNORECASE | re.MULTILINE)

    @cached_property
    def case_number(self) -> re.Pattern[str]:
        """A Seller Support case number: in brackets in a subject, or after a label in the text."""
        label = any_of(list(self.case_labels))
        return re.compile(
            rf"\[[^\]\d]{{1,20}}(?P<subject>\d{{8,20}})\s*\]|{label}\s*(?P<text>\d{{8,20}})\b", re.IGNORECASE
        )

    @cached_property
    def label_fields(self) -> dict[str, str]:
        """Field by label_key(label or heading)."""
        return {label_key(label): field for field, each in self.labels.items() for label in _all(each)}

    @cached_property
    def rating(self) -> re.Pattern[str]:
        """Stars of a feedback notice: the one group that fitted."""
        stars = any_of(_all(self.ratings)).replace("{stars}", STARS)
        return re.compile(rf"(?<![\d.,/]){stars}(?![\d/])", re.IGNORECASE)

    @cached_property
    def money_signs(self) -> dict[str, str | None]:
        """Currency by its sign or code, without case; None where the site decides."""
        signs = {sign: code for code, each in self.currencies.items() for sign in (code, *each)}
        return {"$": None} | {sign.casefold(): code for sign, code in signs.items()}

    @cached_property
    def month_numbers(self) -> dict[str, int]:
        """1 to 12 by the casefolded name of a month or its short form, without full stop.

        A beginning of at least three letters is a short form where it means one month in all languages.
        """
        names = [
            (name.casefold(), number)
            for months in self.months.values()
            for number, each in enumerate(months, 1)
            for name in each
        ]
        short: dict[str, set[int]] = {}
        for name, number in names:
            for length in range(3, min(len(name), 5)):
                short.setdefault(name[:length], set()).add(number)
        return {beginning: next(iter(each)) for beginning, each in short.items() if len(each) == 1} | dict(names)

    @cached_property
    def unit_names(self) -> dict[str, str]:
        """hours, days, … by key(word)."""
        return {key(word): unit for unit, languages in self.units.items() for word in _all(languages)}

    @cached_property
    def appeal(self) -> re.Pattern[str]:
        return re.compile(any_of(_all(self.appeals)), re.IGNORECASE)


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
