"""Each agent's worklist: written as rows by one SQL step, read back, and saved as CSV and page."""

import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from amazon_support.outputs import messages
from amazon_support.outputs.csv_files import csv_file, plain_csv_file
from amazon_support.outputs.items import Item, ListOf, Worklist, one_line
from amazon_support.outputs.reader import ENGLISH, Reader
from amazon_support.settings import Agent, Settings
from amazon_support.warehouse import run_step

Wanted = tuple[ListOf, str, str, Reader]  # of, name, recipient, in whose words
COLUMNS = [field.name for field in fields(Item) if field.name != "words"]
FILE_COLUMNS = [name for name in COLUMNS if name != "reasons"]
LONGEST_WORDS = 20_000  # letters that are looked at: a message may be a megabyte of nothing
LINK = re.compile(r"(?:\b[a-z][a-z0-9+.-]*:/|\bwww\.)\S+", re.IGNORECASE)
LOOK_BACK = timedelta(hours=1)
WORKLIST_LOCK = 4_711_003  # with the hour: whoever writes the same lists waits, then writes them anew


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
    hour = int(as_of.timestamp()) // 3600
    connection.exec_driver_sql("select pg_advisory_xact_lock(%s, %s)", (WORKLIST_LOCK, hour))
    run_step(connection, "marts/worklist_clear.sql", {"as_of": as_of})
    parameters = {**_sql_settings(settings), "as_of": as_of, "since": since or as_of - LOOK_BACK}
    counts = run_step(connection, "marts/worklist_fill.sql", parameters).mappings().one()
    return WorklistCounts(**counts)


def read_worklists(connection: Connection, settings: Settings, *, as_of: datetime) -> list[Worklist]:
    """The written worklists of that instant, one an agent of the settings, empty ones too.

    What was not on the worklist written before is marked as new.
    """
    return _read(
        connection,
        settings,
        [("agent", agent.name, agent.recipient, reader(agent)) for agent in settings.agents],
        as_of,
    )


def read_lists(connection: Connection, settings: Settings, *, as_of: datetime) -> list[Worklist]:
    """The worklists of teams (for their leads), and of desks and marketplaces (for whom the settings name)."""
    by_name = {agent.name: agent for agent in settings.agents}
    by_email = {agent.email: agent for agent in settings.agents if agent.email}
    lists = settings.assignment.lists
    wanted: list[Wanted] = [
        ("team", team.name, by_name[team.lead].recipient, reader(by_name[team.lead]))
        for team in settings.assignment.teams
        if team.lead
    ]
    named: list[tuple[ListOf, Mapping[Any, Sequence[str]]]] = [
        ("desk", lists.desks),
        ("marketplace", lists.marketplaces),
    ]
    wanted += [
        (of, name, address, reader(by_email[address]) if address in by_email else ENGLISH)
        for of, addresses_of in named
        for name, addresses in addresses_of.items()
        for address in addresses
    ]
    return _read(connection, settings, wanted, as_of) if wanted else []


def with_words(connection: Connection, settings: Settings, worklists: Iterable[Worklist]) -> list[Worklist]:
    """With the beginning of what buyers wrote who wait for a reply, as long as the settings allow. Personal data."""
    worklists, most = list(worklists), settings.policy.buyers_words
    tickets = {(i.account, str(i.ticket_id)) for w in worklists for i in w.items if i.section == "reply_now"}
    if not (most and tickets):
        return worklists
    accounts, ticket_ids = zip(*sorted(tickets), strict=True)
    parameters = {"accounts": list(accounts), "ticket_ids": list(ticket_ids), "most": LONGEST_WORDS}
    rows = run_step(connection, "marts/worklist_words.sql", {**parameters, "as_of": worklists[0].as_of})
    words = {(row.account, row.ticket_id): None if row.is_removed else beginning(row.words or "", most) for row in rows}
    return [
        replace(
            worklist,
            items=tuple(
                replace(item, words=_told(words.get((item.account, str(item.ticket_id)), ""), worklist.reader))
                if item.section == "reply_now"
                else item
                for item in worklist.items
            ),
        )
        for worklist in worklists
    ]


def _told(words: str | None, reader: Reader) -> str:
    return reader.say("The buyer's words were removed.") if words is None else words


def beginning(text: str, most: int) -> str:
    """The first letters of somebody's words in one line, without characters that are not seen, and without links."""
    line = LINK.sub("[link]", one_line(text))
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def _read(connection: Connection, settings: Settings, wanted: Sequence[Wanted], as_of: datetime) -> list[Worklist]:
    parameters = {
        "as_of": as_of,
        "previous": run_step(connection, "marts/worklist_previous.sql", {"as_of": as_of}).scalar_one(),
        "lists": sorted({of for of, _, _, _ in wanted}),
    }
    rows = run_step(connection, "marts/worklist_read.sql", parameters).mappings()
    items = {
        key: tuple(Item(**{name: row[name] for name in COLUMNS}) for row in group)
        for key, group in groupby(rows, key=lambda row: (row["list"], row["name"]))
    }
    warn_before = settings.service_levels.at_risk_within, settings.policy.warn_shipment_before
    return [
        Worklist(of, name, recipient, as_of, *warn_before, items.get((of, name), ()), words)
        for of, name, recipient, words in wanted
    ]


def reader(agent: Agent) -> Reader:
    """In which words and time zone the agent is told."""
    return Reader(agent.language, agent.timezone)


def write_files(connection: Connection, settings: Settings, folder: Path, *, as_of: datetime) -> list[Path]:
    """Saves each list that the settings name, of agents, teams, desks and marketplaces, empty ones too.

    Each as page, as CSV that is safe to open, and as plain CSV for programs: worklist-20260310T1400Z-ana-lima.html,
    .csv, .plain.csv; of a team: worklist-20260310T1400Z-team-europe.html.

    Returns: paths of the files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = [
        *read_worklists(connection, settings, as_of=as_of),
        *read_lists(connection, settings, as_of=as_of),
    ]
    lists = {(worklist.of, worklist.name): worklist for worklist in reversed(found)}  # two may read the same
    names = _file_names(list(lists))
    written = []
    for key, worklist in sorted(lists.items(), key=lambda item: names[item[0]]):
        start = f"worklist-{as_of.astimezone(UTC):%Y%m%dT%H%MZ}-{names[key]}"
        safe, plain = folder / f"{start}.csv", folder / f"{start}.plain.csv"
        safe.write_bytes(as_csv(worklist))
        plain.write_bytes(as_plain_csv(worklist))
        written += [safe, plain, write_html(worklist, folder / f"{start}.html")]
    return written


def as_csv(worklist: Worklist) -> bytes:
    """The worklist as CSV (UTF-8 with mark, so that Excel reads it), safe to open: no cell is a formula.

    Nobody's words, names of columns in English, times in UTC.
    """
    return csv_file(FILE_COLUMNS, _file_rows(worklist))


def as_plain_csv(worklist: Worklist) -> bytes:
    """The same for programs: text as it is, instants as 2026-03-10T11:00:00Z, UTF-8 without mark."""
    return plain_csv_file(FILE_COLUMNS, _file_rows(worklist))


def _file_rows(worklist: Worklist) -> Iterator[list[Any]]:
    return ([getattr(item, name) for name in FILE_COLUMNS] for item in worklist.items)


def write_html(worklist: Worklist, path: Path) -> Path:
    """Saves the worklist as a page; unlike the mail it has all items, and nobody's words."""
    path.write_text(messages.worklist_page(worklist), encoding="utf-8")
    return path


def _sql_settings(settings: Settings) -> dict[str, Any]:
    sites = [{"country": m.country, "host": m.seller_central, "desk": m.desk} for m in settings.marketplaces]
    exceptions = [
        {"account": account.name, "country": country, "desk": settings.desk(account, country)}
        for account in settings.accounts
        for country in account.marketplaces
    ]
    teams = settings.assignment.teams
    agents = [
        {
            "name": a.name,
            "marketplaces": a.marketplaces,
            "teams": [team.name for team in teams if a.name in team.agents],
        }
        for a in settings.agents
    ]
    return {
        "agents": json.dumps(agents),
        "marketplaces": json.dumps(sites),
        "desk_exceptions": json.dumps(exceptions),
        "bqool_page": settings.policy.bqool_page,
    }


def _file_names(lists: Sequence[tuple[ListOf, str]]) -> dict[tuple[ListOf, str], str]:
    """File names by list; names that come out alike, or as nothing, are told apart by a hash."""
    plain = {(of, name): _slug(name if of == "agent" else f"{of} {name}") for of, name in lists}
    often = Counter(plain.values())
    return {
        (of, name): slug if slug and often[slug] == 1 else f"{slug or of}-{_hash(f'{of} {name}')}"
        for (of, name), slug in plain.items()
    }


def _slug(name: str) -> str:
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_name.lower()).strip("-")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:6]
