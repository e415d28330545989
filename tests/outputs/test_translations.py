"""What people read in their own language: complete catalogues, dates and spans in their words and zone."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import get_args

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from amazon_support.outputs.reader import Reader
from amazon_support.settings import home
from amazon_support.settings.assignment import Language

TRANSLATIONS = home() / "include" / "translations"
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
NAMES = re.compile(r"\{\w+\}")


def said() -> Iterator[str]:
    """Every string of templates and code that is to be translated."""
    with (TRANSLATIONS / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    keywords = {**DEFAULT_KEYWORDS, "say": None}
    for found in extract_from_dir(home(), methods, options, keywords):
        assert isinstance(found[2], str), "plurals are not used"
        yield found[2]


def catalogue(language: str) -> Catalog:
    with (TRANSLATIONS / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


@pytest.mark.parametrize("language", sorted({*get_args(Language)} - {"en"}))
def test_every_string_is_in_every_catalogue(language: str) -> None:
    translated = {message.id: message for message in catalogue(language) if message.id}
    assert sorted({*said()} ^ translated.keys()) == [], "run `make translations`, then translate what is empty"
    assert [m.id for m in translated.values() if not m.string or m.fuzzy] == []
    names = {id: (set(NAMES.findall(id)), set(NAMES.findall(str(m.string)))) for id, m in translated.items()}
    assert {id: both for id, both in names.items() if both[0] != both[1]} == {}


@pytest.mark.parametrize(
    ("reader", "when", "zone"),
    [
        (Reader(), "10 Mar 12:00 UTC", "UTC"),
        (Reader("de", "Europe/Berlin"), "10. März 13:00 CET", "Europe/Berlin (CET)"),
        (Reader("ja", "Asia/Tokyo"), "3月10日 21:00 JST", "Asia/Tokyo (JST)"),
        (Reader("en", "Asia/Dubai"), "10 Mar 16:00 UTC+04", "Asia/Dubai (UTC+04)"),
        (Reader("en", "America/Los_Angeles"), "10 Mar 05:00 PDT", "America/Los_Angeles (PDT)"),
    ],
)
def test_instants_are_in_the_readers_zone_which_is_named(reader: Reader, when: str, zone: str) -> None:
    assert (reader.when(NOON), reader.zone(NOON)) == (when, zone)


@pytest.mark.parametrize(
    ("language", "spans"),
    [
        ("en", ["less than 1 min late", "55 min left", "27 h 10 min left", "3 h left", "3 d 4 h late", "10 d left"]),
        ("de", ["unter 1 Min. überfällig", "noch 55 Min.", "noch 27 Std. 10 Min.", "noch 3 Std.",
                "3 T. 4 Std. überfällig", "noch 10 T."]),
        ("ja", ["1分未満超過", "残り55分", "残り27時間10分", "残り3時間", "3日4時間超過", "残り10日"]),
    ],
)  # fmt: skip
def test_time_left_in_words(language: Language, spans: list[str]) -> None:
    seconds = [-1, 3359, 97_859, 10_800, -273_660, 864_000]
    assert [Reader(language).time_left(each) for each in seconds] == spans
