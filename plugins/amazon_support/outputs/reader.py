"""For whom a message is: language, and time zone of its dates. Strings are translated in include/translations."""

import gettext
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from amazon_support.settings import home
from amazon_support.settings.assignment import Language


def N_(text: str) -> str:  # noqa: N802  (the name by which Babel finds strings that are translated elsewhere)
    """Marks a string that is to be translated where it is shown."""
    return text


@dataclass(frozen=True)
class Reader:
    """Says things in a language (English where the catalogue lacks a string) and a time zone (IANA name)."""

    language: Language = "en"
    timezone: str = "UTC"

    def say(self, text: str, **values: Any) -> str:
        """The text in the reader's language, with the values in place of {their names}."""
        return _catalogue(self.language).gettext(text).format(**values) if text else ""

    def when(self, moment: datetime) -> str:
        """Such as `10 Mar 08:50 UTC`, from an aware instant."""
        from babel.dates import format_datetime

        # How a date is written, in the letters of Unicode's LDML: d day, M month, H hour, m minute.
        pattern = self.say("d MMM HH:mm")
        local = moment.astimezone(ZoneInfo(self.timezone))
        return f"{format_datetime(local, pattern, tzinfo=local.tzinfo, locale=self.language)} {_zone(local)}"

    def clock(self, moment: datetime) -> str:
        """Such as `08:50 UTC`, from an aware instant."""
        local = moment.astimezone(ZoneInfo(self.timezone))
        return f"{local:%H:%M} {_zone(local)}"

    def zone(self, moment: datetime) -> str:
        """The time zone then: `UTC`, `Europe/Berlin (CET)`."""
        short = _zone(moment.astimezone(ZoneInfo(self.timezone)))
        return short if short == self.timezone else f"{self.timezone} ({short})"

    def duration(self, seconds: int) -> str:
        """A span in words, rounded down: `less than 1 min`, `55 min`, `27 h 10 min`, `3 d 4 h`."""
        minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
        if minutes < 1:
            return self.say("less than 1 min")
        if hours < 1:
            return self.say("{minutes} min", minutes=minutes)
        if days < 2:
            text = "{hours} h {minutes} min" if minutes % 60 else "{hours} h"
            return self.say(text, hours=hours, minutes=minutes % 60)
        text = "{days} d {hours} h" if hours % 24 else "{days} d"
        return self.say(text, days=days, hours=hours % 24)

    def time_left(self, seconds: int) -> str:
        """Such as `55 min left`, and of a negative span `3 h 10 min late`."""
        text = "{time} late" if seconds < 0 else "{time} left"
        return self.say(text, time=self.duration(abs(seconds)))

    def join(self, parts: Iterable[str]) -> str:
        return self.say(", ").join(part for part in parts if part)


ENGLISH = Reader()
# Chosen among by a condition, where Babel does not see them.
SPANS = (
    N_("{hours} h {minutes} min"),
    N_("{hours} h"),
    N_("{days} d {hours} h"),
    N_("{days} d"),
    N_("{time} late"),
    N_("{time} left"),
)


def _zone(local: datetime) -> str:
    """Its short name, which is a mere offset in zones without one."""
    name = local.tzname() or ""
    return f"UTC{name}" if name[:1] in "+-" else name


@cache
def _catalogue(language: Language) -> gettext.NullTranslations:
    """Compiled in memory, so that there is nothing to build; English is what the code says."""
    if language == "en":
        return gettext.NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = io.BytesIO()
    with (home() / "include" / "translations" / f"{language}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
