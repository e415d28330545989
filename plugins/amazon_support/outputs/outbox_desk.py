"""What a person does with the outbox: look, send again, cancel, hold all sending."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping

from amazon_support.outputs.alerts import raise_alerts
from amazon_support.outputs.items import ListOf, when
from amazon_support.outputs.outbox import Message, queue_worklists, worklist_message
from amazon_support.outputs.worklist import read_lists, read_worklists, with_words, write_worklists
from amazon_support.settings import Settings
from amazon_support.settings.assignment import Language
from amazon_support.warehouse import run_step

State = Literal["waiting", "sent", "dead", "cancelled"]


class UnknownMessage(Exception):
    """There is no such message in the outbox."""


class UnknownList(Exception):
    """Nobody is sent such a worklist."""


@dataclass(frozen=True)
class Hold:
    """All sending is held: since when (aware UTC), why, and how many messages wait."""

    held_at: datetime
    reason: str
    waiting: int

    def __str__(self) -> str:
        waiting = "1 message waits" if self.waiting == 1 else f"{self.waiting:,} messages wait"
        return f"All sending is held since {when(self.held_at)}: {self.reason}. {waiting}."


def messages_in(
    connection: Connection,
    states: Sequence[State],
    *,
    at: datetime,
    most: int = 200,
    after: int = 0,
    with_personal_data: bool = False,
) -> list[dict[str, Any]]:
    """Messages in these states, newer than number `after`, in the order in which they are sent.

    Whom they are for, and the subject, only with personal data.

    Columns: outbox_id, kind, channel, recipient, subject, state, attempts, available_at, last_error, settled_at (when
    it was sent, given up or cancelled), is_due.
    """
    parameters = {"states": list(states), "at": at, "most": most, "after": after}
    rows = run_step(connection, "outbox/list.sql", parameters).mappings()
    return [_shown(row, with_personal_data) for row in rows]


def would_send(
    connection: Connection, settings: Settings, *, as_of: datetime, with_personal_data: bool = False
) -> list[dict[str, Any]]:
    """What a live run of that hour would queue and nobody has queued yet. Undone before it returns."""
    with connection.begin_nested() as attempt:
        newest = run_step(connection, "outbox/newest.sql").scalar_one()
        write_worklists(connection, settings, as_of=as_of)
        queue_worklists(connection, settings, as_of=as_of)
        raise_alerts(connection, settings, as_of=as_of)
        found = messages_in(
            connection, ["waiting"], at=as_of, most=100_000, after=newest, with_personal_data=with_personal_data
        )
        attempt.rollback()
    return found


def preview(
    connection: Connection,
    settings: Settings,
    of: ListOf,
    name: str,
    *,
    as_of: datetime,
    language: Language | None = None,
    pages: str = "",
) -> Message:
    """The worklist of an agent, team, desk or marketplace as it would be mailed. Nothing is kept of it.

    Args:
        language: default: the recipient's. pages: as of queue_worklists.

    Raises: UnknownList, naming those there are.
    """
    with connection.begin_nested() as attempt:
        write_worklists(connection, settings, as_of=as_of)
        found = [*read_worklists(connection, settings, as_of=as_of), *read_lists(connection, settings, as_of=as_of)]
        attempt.rollback()
    chosen = [worklist for worklist in found if (worklist.of, worklist.name) == (of, name)]
    if not chosen:
        names = sorted({worklist.name for worklist in found if worklist.of == of})
        raise UnknownList(
            f"No {of} is sent a worklist by the name of {name!r}; there are: {', '.join(names) or 'none'}."
        )
    [worklist] = with_words(connection, settings, chosen[:1])
    reader = replace(worklist.reader, language=language) if language else worklist.reader
    return worklist_message(replace(worklist, reader=reader), pages)


def message(connection: Connection, outbox_id: int, *, with_personal_data: bool = False) -> dict[str, Any]:
    """One message; its words and whom it is for only with personal data.

    Raises: UnknownMessage.
    """
    row = run_step(connection, "outbox/show.sql", {"outbox_id": outbox_id}).mappings().one_or_none()
    if row is None:
        raise UnknownMessage(f"There is no message {outbox_id} in the outbox: see `outbox list --all`.")
    return _shown(row, with_personal_data)


def retry(connection: Connection, outbox_ids: Sequence[int], *, at: datetime) -> int:
    """Lets dead and cancelled messages wait again; without ids all dead ones. Returns: how many."""
    return run_step(connection, "outbox/retry.sql", {"outbox_ids": list(outbox_ids), "at": at}).rowcount


def cancel(connection: Connection, outbox_ids: Sequence[int], *, at: datetime) -> int:
    """Takes messages that were not sent out of the way of later ones. Returns: how many."""
    return run_step(connection, "outbox/cancel.sql", {"outbox_ids": list(outbox_ids), "at": at}).rowcount


def hold(connection: Connection, reason: str, *, at: datetime) -> Hold:
    """Holds all sending from now on; one that is held already keeps its reason."""
    run_step(connection, "outbox/hold.sql", {"at": at, "reason": reason})
    held = holding(connection)
    assert held
    return held


def holding(connection: Connection) -> Hold | None:
    """The hold on all sending, if there is one."""
    row = run_step(connection, "outbox/holding.sql").mappings().one_or_none()
    return Hold(**row) if row else None


def release(connection: Connection, *, at: datetime) -> bool:
    """Lifts the hold; what waits goes out with the next delivery. Returns: whether there was one."""
    return run_step(connection, "outbox/release.sql", {"at": at}).rowcount > 0


def render(rows: Sequence[dict[str, Any]]) -> str:
    """Lined-up text, one message a line."""
    if not rows:
        return "No such messages."
    headings = ["id", "kind", "by", "to", "state", "tries", "when", "about"]
    lines = [headings] + [
        [
            str(row["outbox_id"]),
            row["kind"],
            row["channel"],
            row["recipient"],
            row["state"],
            str(row["attempts"]),
            when(row["settled_at"] or row["available_at"]),
            ": ".join(filter(None, [row["subject"], row["last_error"]])),
        ]
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def render_message(row: dict[str, Any]) -> str:
    """One field a line, then the words if they are shown."""
    fields = {name: when(value) if isinstance(value, datetime) else value for name, value in row.items()}
    lines = [f"{name:<13} {value}" for name, value in fields.items() if name != "plain" and value not in (None, "")]
    return "\n".join([*lines, *(["", row["plain"]] if row["plain"] else [])])


def _shown(row: RowMapping, with_personal_data: bool) -> dict[str, Any]:
    if with_personal_data:
        return dict(row)
    hidden = {name: "" for name in ("subject", "plain") if name in row}
    return {**row, **hidden, "recipient": row["recipient"] if row["channel"] != "email" else _veiled(row["recipient"])}


def _veiled(address: str) -> str:
    """The domain of the address; without one it is somebody's name."""
    _, at, domain = address.partition("@")
    return f"…@{domain}" if at else "…"
