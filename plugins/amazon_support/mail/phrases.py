"""The small language of phrases in mail_rules.yaml (see its head), as regular expressions."""

import re
import unicodedata

# Any run of these at least three long is a line of dashes. Possessive: a hostile mail can be one long line of them.
DASH = r"\-‐‑‒–—―−─━－…"
DASHES = rf"(?<![{DASH}])(?:[{DASH}]{{3,}}+|…)"
GAP = r"(?s:.{0,200}?)"
LINE_GAP = r"[^\n]{0,160}?(?:\n[^\n]{0,80}?)?"  # mail programs break the line once
SENTENCE_GAP = r"[^.!?。]{0,120}?"
NAME = r"(?P<name>\S.{0,150}?)"
STARS = r"([1-5])"
TOKENS = re.compile(r"(…|\{\w+\}|\s+|['’]|-|[:：])")
SPECIAL = {"…": GAP, "{name}": NAME, "'": "['’]", "’": "['’]", "-": "[-‐‑–]?", ":": r"\s*[:：]", "：": r"\s*[:：]"}
BRACKETS = re.compile(r"[(（\[][^)）\]]*[)）\]]\s*$")
MEANINGLESS = re.compile(r"[\s*•·:：.．]+")


def pattern(phrase: str) -> str:
    """Regular expression of a phrase of the settings. {date}, {span} and {stars} stay as they are."""
    phrase, anchored = phrase.removeprefix("^"), phrase.startswith("^")
    found = "".join(_token(token) for token in TOKENS.split(phrase) if token)
    if phrase.endswith("{name}"):
        found += r"\s*(?:[(（\[].*)?$"
    return ("^" if anchored else "") + found


def _token(token: str) -> str:
    if token.isspace():
        return r"\s*"
    return SPECIAL.get(token) or (token if token.startswith("{") and token.endswith("}") else re.escape(token))


def any_of(phrases: list[str]) -> str:
    """Regular expression that fits where one of the phrases does, without groups."""
    return "(?:" + "|".join(pattern(phrase).replace("?P<name>", "?:") for phrase in phrases) + ")"


def key(words: str) -> str:
    """Words without case, spaces and form of colon: equal keys, same words."""
    return re.sub(r"\s+", "", words).replace("：", ":").casefold()


def label_key(label: str) -> str:
    """A label or heading without case, spaces, dots, what is in brackets behind it, and its colon."""
    plain = unicodedata.normalize("NFKC", label).translate(QUOTES_AND_HYPHENS)
    return MEANINGLESS.sub("", BRACKETS.sub("", plain.strip(" :*"))).casefold()


QUOTES_AND_HYPHENS = str.maketrans({"’": "'", "‐": "-", "‑": "-", "–": "-", "−": "-"})
