"""Builders for what desks export, in the shipped formats, and for the settings that read it."""

import csv
import io
import json
from pathlib import Path
from typing import Any

from landing import BUYER_KEY, NOON, ORDER

from amazon_support import settings
from amazon_support.settings import Settings
from amazon_support.sources.desk_files import Parsed, Understanding, parse

AGENTS = [{"name": "Ana Lima", "email": "ana@shop.example"}, {"name": "Bo", "email": "bo@shop.example"}]
AT = "2026-03-10 11:30:00"
SOLVED = {"Order ID": ORDER, "Action": "Solved", "Agent": "Ana Lima", "Date": AT}
REVIEW = {"Order ID": ORDER, "Action": "Request a Review", "Agent": "Ana Lima", "Date": AT}
NOTED = {"Order ID": ORDER, "Action": "Internal Note", "Agent": "Ana Lima", "Date": AT, "Note": "Called Mia Muster."}


def desk_settings(desk_format: str = "bqool", **folder: Any) -> Settings:
    """One folder of account main, desk bqool, in a shipped format."""
    shipped = settings.load()
    here = {"account": "main", "desk": "bqool", "url": "/nowhere", "format": desk_format, **folder}
    return Settings.model_validate(
        {
            "marketplaces": shipped.marketplaces,
            "accounts": [{"name": "main"}],
            "agents": AGENTS,
            "desk_files": {"formats": shipped.desk_files.formats, "folders": [here]},
        }
    )


def as_csv(*rows: dict[str, str], separator: str = ",", end: str = "\r\n") -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    written = io.StringIO()
    writer = csv.DictWriter(written, names, delimiter=separator, lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue()


def understanding(given: Settings) -> Understanding:
    return Understanding(given, given.desk_files.folders[0], BUYER_KEY)


def read(content: str | bytes, given: Settings | None = None) -> Parsed:
    raw = content.encode() if isinstance(content, str) else content
    return parse(raw, "export.csv", understanding(given or desk_settings()))


def as_json(*rows: dict[str, Any]) -> str:
    return json.dumps(list(rows))


def drop(folder: Path, name: str, *rows: dict[str, str], text: str | None = None, minutes_old: int = 5) -> Path:
    """A file in the folder, last changed so long before NOON."""
    import os

    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(as_csv(*rows) if text is None else text, newline="")
    changed = NOON.timestamp() - 60 * minutes_old
    os.utime(path, (changed, changed))
    return path
