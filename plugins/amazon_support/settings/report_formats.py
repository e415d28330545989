"""The settings by which reports are read that differ from site to site (include/settings/report_formats.yaml)."""

import codecs
import re
import unicodedata
from functools import cache, cached_property
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from amazon_support.settings.load import load_file

DEFAULT = "default"


def _a_codec(charset: str) -> str:
    try:
        codecs.lookup(charset)
    except LookupError:
        raise ValueError(f"no encoding {charset!r}; expected one of Python's, such as utf-8, cp1252 or cp932") from None
    return charset


Site = Annotated[str, Field(pattern=r"^([A-Z]{2}|default)$")]
DateOrder = Annotated[str, Field(pattern=r"^(d[./-]m[./-]y|m[./-]d[./-]y|y[./-]m[./-]d)$")]
Charset = Annotated[str, AfterValidator(_a_codec)]
Headings = Annotated[tuple[str, ...], Field(min_length=1)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FeedbackHeadings(_Model):
    """Headings by what the column holds, in the order in which the report has them."""

    rated_on: Headings
    rating: Headings
    comments: Headings
    response: Headings
    order_id: Headings
    rater_email: Headings


class FeedbackFormat(_Model):
    """How the seller feedback report is written; what each part means is said in the file."""

    headings: FeedbackHeadings
    ignored: tuple[str, ...]
    dates: dict[Site, DateOrder]
    charsets: dict[Site, Charset]

    @model_validator(mode="after")
    def _is_whole(self) -> "FeedbackFormat":
        for name in ("dates", "charsets"):
            if DEFAULT not in getattr(self, name):
                raise ValueError(f"{name} lacks the entry `{DEFAULT}`")
        seen: dict[str, str] = {}
        for field, spellings in self.headings:
            for spelling in spellings:
                if seen.setdefault(plain(spelling), field) != field:
                    raise ValueError(f"the heading {spelling} stands for {seen[plain(spelling)]} and {field}")
        return self

    @cached_property
    def fields_by_heading(self) -> dict[str, str]:
        """Our name of a column by plain(heading)."""
        return {plain(spelling): field for field, spellings in self.headings for spelling in spellings}

    @cached_property
    def ignored_headings(self) -> frozenset[str]:
        return frozenset(map(plain, self.ignored))

    def date_order(self, country: str) -> str:
        """Such as "d.m.y"."""
        return self.dates.get(country, self.dates[DEFAULT])

    def charset(self, country: str) -> str:
        return self.charsets.get(country, self.charsets[DEFAULT])


class ReportFormats(_Model):
    """Shape of report_formats.yaml."""

    seller_feedback: FeedbackFormat


def plain(heading: str) -> str:
    """The heading without case, accents, spaces and punctuation."""
    letters = (c for c in unicodedata.normalize("NFKD", heading) if not unicodedata.combining(c))
    return re.sub(r"[\W_]+", "", "".join(letters)).casefold()


@cache
def report_formats() -> ReportFormats:
    """The formats of the settings, read once a process.

    Raises: SettingsError with file, line and what was expected.
    """
    return load_file("report_formats.yaml", ReportFormats)
