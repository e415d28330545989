"""Each agent's worklist: written as rows by one SQL step, read back, and saved as CSV and page."""

import hashlib
import json
import re
import unicodedata
from collections import Counter
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from amazon_support.outputs import messages
from amazon_support.outputs.items import BQOOL_PAGE, Item, Worklist, one_line
from amazon_support.outputs.reader import Reader
from amazon_support.settings import Agent, Settings
from amazon_support.warehouse import run_step

CHASE_HOLDS_AFTER = timedelta(days=2)
CHASE_CASES_AFTER = timedelta(hours=48)
LOOK_BACK = timedelta(hours=1)

# A cell that begins so is run as a formula by Excel and its like, the wide forms too; source: OWASP, CSV Injection.
FORMULA = re.compile(r"^[=+\-@\t\r\n＝＋－＠]")


@dataclass(frozen=True)
class WorklistCounts:
    """Items written, for how many agents; `uncovered` items are of marketplaces that no agent has."""

    items: int
    agents: int
    uncovered: int


def write_worklists(
    connection: Connection, settings: Settings, *, as_of: datetime, since: datetime | None = None
) -> WorklistCounts:
    """Writes every agent's worklist as of an instant into mart.worklist_item, in place of what was there for it.

    Args:
        as_of: aware UTC. since: tickets that solved themselves after it are listed; default: an hour before.
    """
    run_step(connection, "marts/worklist_clear.sql", {"as_of": as_of})
    parameters = {**_sql_settings(settings), "as_of": as_of, "since": since or as_of - LOOK_BACK}
    counts = run_step(connection, "marts/worklist_fill.sql", parameters).mappings().one()
    return WorklistCounts(**counts)


def read_worklists(connection: Connection, settings: Settings, *, as_of: datetime) -> list[Worklist]:
    """The written worklists of that instant, one an agent of the settings, empty ones too."""
    rows = run_step(connection, "marts/worklist_read.sql", {"as_of": as_of}).mappings()
    columns = [field.name for field in fields(Item)]
    items = {
        agent: tuple(Item(**{name: row[name] for name in columns}) for row in group)
        for agent, group in groupby(rows, key=lambda row: row["agent"])
    }
    warn_before = settings.service_levels.at_risk_within, settings.policy.warn_shipment_before
    return [
        Worklist(agent.name, agent.email, as_of, *warn_before, items.get(agent.name, ()), reader(agent))
        for agent in settings.agents
    ]


def reader(agent: Agent) -> Reader:
    """In which words and time zone the agent is told."""
    return Reader(agent.language, agent.timezone)


def write_files(connection: Connection, settings: Settings, folder: Path, *, as_of: datetime) -> list[Path]:
    """Saves every agent's worklist, empty ones too, as CSV and as page: worklist-20260310T1400Z-ana-lima.csv.

    Returns: paths of the files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = _file_names([agent.name for agent in settings.agents])
    written = []
    for worklist in read_worklists(connection, settings, as_of=as_of):
        path = folder / f"worklist-{as_of.astimezone(UTC):%Y%m%dT%H%MZ}-{names[worklist.agent]}.csv"
        written += [write_csv(worklist, path), write_html(worklist, path.with_suffix(".html"))]
    return written


def write_csv(worklist: Worklist, path: Path) -> Path:
    """Saves the worklist as CSV (UTF-8 with mark, so that Excel reads it), safe to open: no cell is a formula."""
    import pandas

    columns = [field.name for field in fields(Item)]
    frame = pandas.DataFrame([asdict(item) for item in worklist.items], columns=columns, dtype=object)
    frame.map(_cell).to_csv(path, index=False, encoding="utf-8-sig")
    return path


def write_html(worklist: Worklist, path: Path) -> Path:
    """Saves the worklist as a page; unlike the mail it has all items."""
    path.write_text(messages.worklist_page(worklist), encoding="utf-8")
    return path


def _sql_settings(settings: Settings) -> dict[str, Any]:
    sites = [{"country": m.country, "host": m.seller_central, "desk": m.desk} for m in settings.marketplaces]
    exceptions = [
        {"account": account.name, "country": country, "desk": settings.desk(account, country)}
        for account in settings.accounts
        for country in account.marketplaces
    ]
    return {
        "agents": json.dumps([{"name": a.name, "marketplaces": a.marketplaces} for a in settings.agents]),
        "marketplaces": json.dumps(sites),
        "desk_exceptions": json.dumps(exceptions),
        "chase_holds_after": CHASE_HOLDS_AFTER,
        "chase_cases_after": CHASE_CASES_AFTER,
        "decide_mail_within": settings.policy.decide_mail_within,
        "bqool_page": BQOOL_PAGE,
    }


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if not isinstance(value, str):
        return value
    line = one_line(value)
    return f"'{line}" if FORMULA.match(value) or FORMULA.match(line) else line


def _file_names(agents: list[str]) -> dict[str, str]:
    """File names by agent; names that come out alike, or as nothing, are told apart by a hash."""
    plain = {agent: _slug(agent) for agent in agents}
    often = Counter(plain.values())
    return {
        agent: slug if slug and often[slug] == 1 else f"{slug or 'agent'}-{_hash(agent)}"
        for agent, slug in plain.items()
    }


def _slug(name: str) -> str:
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_name.lower()).strip("-")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:6]
