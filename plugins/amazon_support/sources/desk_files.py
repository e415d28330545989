"""What agents did, from the exports that their desks drop into a folder: CSV or JSON, by the settings' mapping."""

import csv
import hashlib
import io
import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from amazon_support import charsets
from amazon_support.settings import DeskFolder, DeskFormat, Settings
from amazon_support.settings.desk_files import TICKET_FIELDS
from amazon_support.sources import positions
from amazon_support.sources.errors import BadDocument, SourceError, Unavailable
from amazon_support.warehouse import run_step
from amazon_support.warehouse.land import DeskActionRow, land_desk_actions
from amazon_support.warehouse.land.batches import BadLine
from amazon_support.warehouse.land.mail import buyer_ref

log = logging.getLogger(__name__)

ENDINGS = frozenset({".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson"})
SETTLED = timedelta(minutes=1)  # a file that was changed since may still be written
LARGEST = 200_000_000  # bytes; no export of a desk is so large
LONGEST_FIELD = 1_000_000  # characters
SEPARATORS = (",", ";", "\t")
EXCELS_LINE = re.compile(r"^sep=.\r?\n", re.IGNORECASE)
ORDER_ID = re.compile(r"\d{3}-\d{7}-\d{7}|[DS]01-.+")
UNKNOWN = "unknown"

Record = dict[str, str]


@dataclass(frozen=True)
class Parsed:
    """What a file holds.

    Attributes:
        rows: actions. bad_lines: what cannot be read. ignored: rows that the mapping says mean nothing to us.
        heading: the line of headings; None in JSON, which names each value.
        known_columns: how many of the headings the format knows; None in JSON, and of an empty file.
    """

    rows: list[DeskActionRow]
    bad_lines: list[BadLine]
    ignored: int = 0
    heading: str | None = field(default=None, compare=False)
    known_columns: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class FolderRead:
    """What one reading of a folder brought: references and counts, fit for XCom.

    Attributes:
        files: with new content. known: read before, under this name or another. rows: landed.
    """

    account: str
    desk: str
    batch_ids: list[int] = field(default_factory=list)
    files: int = 0
    known: int = 0
    rows: int = 0
    bad_lines: int = 0
    ignored: int = 0


@dataclass(frozen=True)
class _File:
    path: Path
    content: bytes
    modified_at: datetime | None

    @cached_property
    def key(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


# ---------- folders


def read_folder(
    engine: Engine,
    folder: DeskFolder,
    path: Path,
    settings: Settings,
    *,
    buyer_key: str,
    now: datetime,
    done: Path | None = None,
) -> FolderRead:
    """Lands every file of the folder whose content was not read before, one batch and transaction a file.

    Args:
        path: of the folder; a Path, or what works as one. done: the folder of `after_reading: move:…`.
        now: aware UTC. A file changed within the last minute is left to the next reading.

    Raises: Unavailable if the folder cannot be read; BadDocument, after all others were read, naming the files that are
        no exports of this format.
    """
    read, troubles = FolderRead(folder.account, folder.desk), []
    understand = Understanding(settings, folder, buyer_key)
    for file_path in exports_in(path, folder):
        try:
            read = _read_one(engine, understand, read, file_path, now)
            _put_away(folder, file_path, done)
        except _StillWritten:
            log.info("%s is still being written: it is left to the next run", file_path.name)
        except SourceError as problem:
            troubles.append(str(problem))
        except OSError as error:
            troubles.append(f"{file_path.name}: {error.strerror or type(error).__name__}")
    if troubles:
        raise BadDocument(
            f"Account {folder.account}, desk {folder.desk}: {'; '.join(troubles)}. The other files were read; correct "
            "the format in desk_files.yaml or take the file out of the folder."
        )
    with engine.begin() as connection:
        positions.note_read(connection, folder.account, "desk", folder.desk, read_at=now)
    return read


def read_file(
    engine: Engine, folder: DeskFolder, path: Path, settings: Settings, *, buyer_key: str, now: datetime
) -> FolderRead:
    """Lands one file, whether its content was read before or not: after a change of the mapping, for example.

    Raises: BadDocument if it is no export of this format.
    """
    understand = Understanding(settings, folder, buyer_key)
    read = FolderRead(folder.account, folder.desk)
    file = _File(path, _bytes(path), None)
    return _land(engine, understand, read, file, parse(file.content, path.name, understand), now)


class _StillWritten(Exception):
    pass


def exports_in(path: Path, folder: DeskFolder) -> list[Path]:
    """The exports in a folder, by name.

    Raises: Unavailable if it cannot be read.
    """
    try:
        found = [each for each in path.iterdir() if each.suffix.lower() in ENDINGS and not each.name.startswith(".")]
        return sorted((each for each in found if each.is_file()), key=lambda each: each.name)
    except OSError as error:
        raise Unavailable(
            f"Account {folder.account}, desk {folder.desk}: its folder cannot be read "
            f"({error.strerror or type(error).__name__}); check that it is there, and rights (desk_files.yaml)."
        ) from None


def _read_one(engine: Engine, understand: "Understanding", read: FolderRead, path: Path, now: datetime) -> FolderRead:
    folder, stat = understand.folder, path.stat()
    # Not every store tells when a file was changed; then its content must tell whether it is known.
    modified_at = datetime.fromtimestamp(stat.st_mtime, UTC) if stat.st_mtime else None
    if modified_at and modified_at > now - SETTLED:
        raise _StillWritten
    same: dict[str, Any] = {
        "account": folder.account,
        "desk": folder.desk,
        "name": path.name,
        "modified_at": modified_at,
    }
    with engine.connect() as connection:
        known = run_step(
            connection, "sources/desk_file_known.sql", {**same, "bytes": stat.st_size, "content_key": None}
        ).one()
        if known.is_file_known:
            return _counted(read, known=1)
        file = _File(path, _bytes(path), modified_at)
        same |= {"bytes": len(file.content), "content_key": file.key, "batch_id": None, "known_columns": None}
        known = run_step(connection, "sources/desk_file_known.sql", same).one()
    if known.is_content_known:
        with engine.begin() as connection:
            run_step(connection, "sources/desk_file_read.sql", {**same, "read_at": now})
        return _counted(read, known=1)
    parsed = parse(file.content, path.name, understand)
    _refuse_half(engine, folder, path.name, parsed)
    return _land(engine, understand, read, file, parsed, now)


def _refuse_half(engine: Engine, folder: DeskFolder, name: str, parsed: Parsed) -> None:
    """Raises: BadDocument if the file has not more than half of the columns of the last ones of its folder."""
    if parsed.known_columns is None:
        return
    with engine.connect() as connection:
        where = {"account": folder.account, "desk": folder.desk}
        usual = run_step(connection, "sources/desk_usual_columns.sql", where).scalar()
    if usual and parsed.known_columns * 2 <= usual:
        raise BadDocument(
            f"{name} has only {parsed.known_columns} of the usual {usual} columns (if that is right, read it once by "
            "hand: `pull desk FILE --load`)"
        )


def _land(
    engine: Engine, understand: "Understanding", read: FolderRead, file: _File, parsed: Parsed, now: datetime
) -> FolderRead:
    folder = understand.folder
    with engine.begin() as connection:
        batch_ids = []
        if parsed.rows or parsed.bad_lines:
            batch_id = land_desk_actions(
                connection,
                account=folder.account,
                desk=folder.desk,
                read_at=now,
                rows=parsed.rows,
                bad_lines=parsed.bad_lines,
                heading=parsed.heading,
            )
            batch_ids.append(batch_id)
        remembered = {
            "account": folder.account,
            "desk": folder.desk,
            "content_key": file.key,
            "name": file.path.name,
            "bytes": len(file.content),
            "modified_at": file.modified_at,
            "batch_id": batch_ids[0] if batch_ids else None,
            "read_at": now,
            "known_columns": parsed.known_columns,
        }
        run_step(connection, "sources/desk_file_read.sql", remembered)
    log.info("%s: %d actions, %d bad lines", file.path.name, len(parsed.rows), len(parsed.bad_lines))
    counts = {"rows": len(parsed.rows), "bad_lines": len(parsed.bad_lines), "ignored": parsed.ignored}
    return _counted(read, files=1, batch_ids=batch_ids, **counts)


def _counted(read: FolderRead, **more: Any) -> FolderRead:
    return FolderRead(**{**asdict(read), **{name: getattr(read, name) + value for name, value in more.items()}})


def _bytes(path: Path) -> bytes:
    if path.stat().st_size > LARGEST:
        raise BadDocument(f"{path.name} is larger than {LARGEST // 1_000_000} MB")
    return path.read_bytes()


def _put_away(folder: DeskFolder, path: Path, done: Path | None) -> None:
    """After its rows are safe. Killed on the way, the next reading knows the file and puts it away."""
    if folder.after_reading == "keep":
        return
    if done is not None:
        content = path.read_bytes()
        done.mkdir(parents=True, exist_ok=True)
        # Desks call each export by the same name.
        (done / f"{path.stem}-{hashlib.sha256(content).hexdigest()[:8]}{path.suffix}").write_bytes(content)
    path.unlink()


# ---------- files


def parse(content: bytes, name: str, understand: "Understanding") -> Parsed:
    """What the file holds, row by row.

    Args:
        name: of the file, for messages.

    Raises: BadDocument if it is neither CSV with the format's columns nor JSON.
    """
    text = _decoded(content)
    rows: list[DeskActionRow] = []
    bad_lines: list[BadLine] = []
    ignored = 0
    is_json = text.lstrip()[:1] in ("[", "{")
    read = _json_records if is_json else _csv_records
    records = read(text, name, understand)
    for number, record in records:
        if isinstance(record, BadLine):
            bad_lines.append(record)
        elif (row := understand(number, record)) is None:
            ignored += 1
        else:
            rows.append(row)
    body = EXCELS_LINE.sub("", text)
    heading = None if is_json else body.partition("\n")[0].rstrip("\r")
    known = None if is_json or not body.strip() else understand.known(_headings(body, name, understand)[0])
    return Parsed(rows, bad_lines, ignored, heading, known)


def _decoded(content: bytes) -> str:
    """UTF-16 shows by its mark or its zeros; what is not UTF-8 is taken for cp1252, as Excel on Windows writes."""
    beginning = content[:1000]
    zeros = beginning.count(0)
    unmarked = "utf-8"
    if zeros > len(beginning) // 4:
        unmarked = "utf-16-be" if beginning[:1] == b"\0" else "utf-16-le"
    codec = charsets.codec(None, beginning, unmarked)
    try:
        return content.decode(codec).replace("\0", "")
    except UnicodeDecodeError:
        return content.decode("cp1252" if codec.startswith("utf-8") else codec, "replace").replace("\0", "")


def _csv_records(text: str, name: str, understand: "Understanding") -> Iterator[tuple[int, Record | BadLine]]:
    csv.field_size_limit(LONGEST_FIELD)
    skipped = EXCELS_LINE.match(text)
    body = text[skipped.end() :] if skipped else text
    offset = 1 if skipped else 0
    if not body.strip():
        return
    headings, separator = _headings(body, name, understand)
    lines = io.StringIO(body, newline="")
    reader = csv.reader(lines, delimiter=separator, strict=True)
    next(reader)
    while True:
        number = reader.line_num + offset + 1
        began = lines.tell()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield number, BadLine(number, f"no CSV: {error}", body[began : lines.tell()])
            continue
        if not any(each.strip() for each in fields):
            continue
        if len(fields) != len(headings):
            wrong = f"{len(fields)} fields instead of {len(headings)}"
            yield number, BadLine(number, wrong, separator.join(fields))
        else:
            yield number, {heading: value for heading, value in zip(headings, fields, strict=True) if heading}


def _headings(body: str, name: str, understand: "Understanding") -> tuple[list[str], str]:
    """The headings, and the separator by which most of them are known."""
    candidates = []
    for separator in SEPARATORS:
        try:
            headings = next(csv.reader(io.StringIO(body, newline=""), delimiter=separator, strict=True))
        except (csv.Error, StopIteration):
            continue
        candidates.append((understand.known(headings), separator, headings))
    most, separator, headings = max(candidates, key=lambda each: each[0], default=(0, ",", []))
    missing = understand.missing(headings)
    if missing or not most:
        raise BadDocument(f"{name} has no column for {missing or 'anything that the format knows'}")
    return headings, separator


def _json_records(text: str, name: str, understand: "Understanding") -> Iterator[tuple[int, Record | BadLine]]:
    """A list, an object that holds one, or one object a line."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        if text.lstrip().startswith("["):
            raise BadDocument(f"{name} is no JSON: see its line {getattr(error, 'lineno', 1)}") from None
        whole = None
    if whole is None:
        yield from _json_lines(text)
        return
    entries = whole
    if isinstance(whole, dict):
        lists = [value for value in whole.values() if isinstance(value, list)]
        entries = [whole] if understand.known(list(whole)) or len(lists) != 1 else lists[0]
    for number, entry in enumerate(entries, 1):
        yield number, _record(number, entry, json.dumps(entry, ensure_ascii=False))


def _json_lines(text: str) -> Iterator[tuple[int, Record | BadLine]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield number, _record(number, json.loads(line), line)
            except (ValueError, RecursionError):
                yield number, BadLine(number, "no JSON", line)


def _record(number: int, entry: Any, content: str) -> Record | BadLine:
    return dict(_flat(entry)) if isinstance(entry, dict) else BadLine(number, "no JSON object", content)


def _flat(entry: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """{"via": {"channel": "web"}} -> ("via.channel", "web"); lists are left as JSON."""
    for name, value in entry.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, list | bool):
            yield prefix + name, json.dumps(value, ensure_ascii=False)
        elif value is not None:
            yield prefix + name, str(value)


# ---------- rows


def plain(words: str) -> str:
    """Without regard to case, and to how words are joined."""
    return re.sub(r"[-_\s]+", " ", words).strip().casefold()


class Understanding:
    """Rows of one desk's exports in our words, by its format."""

    def __init__(self, settings: Settings, folder: DeskFolder, buyer_key: str) -> None:
        self.folder = folder
        self._buyer_key = buyer_key
        self._format: DeskFormat = settings.desk_files.format_of(folder)
        self._zone = ZoneInfo(self._format.timezone)
        self._headings = {name: [plain(each) for each in found] for name, found in self._format.columns.items()}
        self._actions = {plain(words): action for words, action in self._format.actions.items()}
        self._statuses = {plain(words): action for words, action in self._format.statuses.items()}
        self._agents = {plain(name): a.name for a in settings.agents for name in (a.name, a.email)}
        self._countries = {
            plain(name): m.country for m in settings.marketplaces for name in (m.country, m.domain, m.marketplace_id)
        }

    def known(self, headings: list[str]) -> int:
        """How many of the headings the format knows."""
        return len({plain(each) for each in headings} & {each for names in self._headings.values() for each in names})

    def missing(self, headings: list[str]) -> str:
        """What an export cannot do without and these headings lack; empty if nothing."""
        found = {plain(each) for each in headings}
        here = {name for name, names in self._headings.items() if found & set(names)}
        if "at" not in here:
            return f"`at` ({', '.join(self._format.columns['at'])})"
        return "" if here & set(TICKET_FIELDS) else f"any of {', '.join(TICKET_FIELDS)}"

    def __call__(self, number: int, record: Record) -> DeskActionRow | None:
        """The row; None if it means nothing to us."""
        given = {plain(name): value.strip() for name, value in record.items()}
        cells: Record = {
            name: next((given[heading] for heading in headings if given.get(heading)), "")
            for name, headings in self._headings.items()
        }
        kind, told = self._action(cells)
        if kind == "ignore":
            return None
        occurred_at = self._instant(told.get("at", ""))
        buyer = buyer_ref(told.get("buyer_alias"), self._buyer_key) if "@" in told.get("buyer_alias", "") else None
        ticket_id, order_id = told.get("ticket_id", ""), told.get("order_id", "")
        if ORDER_ID.fullmatch(ticket_id):  # some desks have one field for whatever others call it
            ticket_id, order_id = "", order_id or ticket_id
        return DeskActionRow(
            line_number=number,
            row_identity=told.get("row_id") or _digest(cells, occurred_at, buyer),
            kind=kind,
            status=plain(told.get("status", "")) or None,
            agent=self._person(told.get("agent", "")) if kind == "assign" else None,
            stakeholder=self._person(told.get("stakeholder", "")) if kind == "hold" else None,
            actor=self._person(told.get("actor", "")),
            occurred_at=occurred_at,
            ticket_id=ticket_id.removeprefix(f"{self.folder.account}/") or None,
            order_id=order_id or None,
            marketplace=self._countries.get(plain(told.get("marketplace", ""))) or self.folder.marketplace,
            case_id=told.get("case_id") or None,
            buyer_ref=buyer,
            text=told.get("text", ""),
            received=dict(record),
        )

    def _action(self, cells: Record) -> tuple[str | None, Record]:
        """What was done, and the cells with its value where it belongs."""
        words = plain(cells.get("action", ""))
        if words:
            action = self._actions.get(words)
        else:
            told = (("status", "status"), ("assign", "agent"), ("note", "text"))
            action = next((each for each, name in told if cells.get(name)), None)  # type: ignore[misc]
        place = {"status": "status", "assign": "agent", "hold": "stakeholder", "note": "text"}.get(action or "")
        if place and cells.get("value"):
            cells = {**cells, place: cells["value"]}
        if action == "status":
            return self._statuses.get(plain(cells.get("status", ""))), cells
        return action, {**cells, "status": ""}

    def _person(self, name: str) -> str | None:
        """As agents.yaml has them. The address of somebody else may be a buyer's."""
        return self._agents.get(plain(name)) or (UNKNOWN if "@" in name else name or None)

    def _instant(self, written: str) -> datetime | None:
        """Aware UTC; of a local time that comes twice the first, of one that the clocks skip that much later."""
        readings: list[Callable[[], datetime]] = [lambda: datetime.fromisoformat(written)]
        for each in self._format.time_formats:
            if each == "epoch":
                readings.append(lambda: datetime.fromtimestamp(float(written), UTC))
            else:
                readings.append(lambda each=each: datetime.strptime(written, each))  # type: ignore[misc]  # noqa: DTZ007
        for reading in readings:
            try:
                moment = reading()
                return (moment if moment.tzinfo else moment.replace(tzinfo=self._zone)).astimezone(UTC)
            except (ValueError, OverflowError, OSError):
                continue
        return None


def _digest(cells: Record, occurred_at: datetime | None, buyer: str | None) -> str:
    """The same for rows that say the same, in whatever columns, zone or file, and whoever is in agents.yaml."""
    said = {name: " ".join(value.split()) for name, value in cells.items() if value}
    said |= {"buyer_alias": buyer} if buyer else {}
    said |= {"at": occurred_at.isoformat()} if occurred_at else {}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
