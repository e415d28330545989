"""Names of charsets as Amazon writes them, in Python's words."""

import codecs

# Java's names that Python lacks, and charsets whose documents hold characters of Microsoft's larger ones: circled
# digits in Japan, the euro sign in Europe. Browsers read both in the same way (WHATWG, Encoding standard, labels).
CODECS = {
    "windows-31j": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "latin-1": "cp1252",
    "latin1": "cp1252",
}
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def codec(charset: str | None, beginning: bytes, fallback: str) -> str:
    """Python's codec for a document. A byte order mark wins over a charset, which may be wrong.

    Args:
        charset: as its Content-Type says, in any spelling.
        beginning: its first bytes, three at least.
        fallback: the codec if nothing tells, or the charset is unknown.
    """
    for mark, name in BYTE_ORDER_MARKS.items():
        if beginning.startswith(mark):
            return name
    wanted = (charset or fallback).strip().lower().replace("_", "-")
    name = CODECS.get(wanted, wanted)
    try:
        b" ".decode(name)
    except (LookupError, UnicodeError):
        return fallback
    return name
