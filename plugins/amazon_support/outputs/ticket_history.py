"""What happened to one ticket: its timeline and its clocks, as of any instant, for a terminal."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from amazon_support.outputs.items import duration
from amazon_support.settings import Settings
from amazon_support.tickets import Promises, know_hours_until
from amazon_support.warehouse import read_step, read_steps

WIDTH = 118
STATES = {
    "running": "runs, {left} left",
    "at_risk": "at risk, {left} left",
    "paused": "paused, {left} left when it goes on",
    "breached_open": "breached {left} ago, still runs",
    "met": "met with {left} left",
    "breached_met_late": "met {left} late",
    "cancelled": "cancelled",
}


class UnknownTicket(ValueError):
    """No ticket of that id existed then, or several accounts have one."""


Row = dict[str, Any]


@dataclass(frozen=True)
class TicketHistory:
    """One ticket as of an instant.

    Attributes:
        ticket: account, ticket_id, follow_up_of, marketplace, ticket_type, order_id, order_match, case_id, created_at,
            status, status_since, status_until.
        clocks: metric, cycle, started_at, due_at, stopped_at, stopped_by, elapsed_seconds, paused_seconds, breached_at,
            seconds_left, state, target_seconds, policy, calendar, and pauses (from_at, until_at, is_rest, cause).
        older_cycles: how many more clocks had started that are not among those.
        timeline: columns of mart.ticket_timeline, newest first; with `words` where they were asked for.
        has_older: there are activities before those.
    """

    as_of: datetime
    ticket: Row
    clocks: list[Row] = field(default_factory=list)
    older_cycles: int = 0
    timeline: list[Row] = field(default_factory=list)
    has_older: bool = False


def find_ticket(connection: Connection, current: Settings, named: str, *, as_of: datetime) -> Row:
    """The columns of TicketHistory.ticket as of an instant (aware UTC).

    Args:
        named: id of the ticket, or account/id where several accounts have it.

    Raises: UnknownTicket, with the ids that come near.
    """
    account, _, ticket_id = named.rpartition("/")
    found = _rows(connection, "ticket", {"account": account or None, "ticket_id": ticket_id, "as_of": as_of})
    if len(found) == 1:
        return found[0]
    if found:
        accounts = ", ".join(f"{row['account']}/{ticket_id}" for row in found)
        raise UnknownTicket(f"Several accounts have a ticket {ticket_id}. Name one: {accounts}")
    near = _near(connection, current, ticket_id)
    raise UnknownTicket(
        f"No ticket {named} at {_at(as_of)}."
        + (f" There are: {', '.join(near)}" if near else " Order ids can be given.")
    )


def ticket_history(
    connection: Connection, current: Settings, named: str, *, as_of: datetime, **part: Any
) -> TicketHistory:
    """history_of the ticket that find_ticket finds; these say what they take and raise."""
    return history_of(connection, current, find_ticket(connection, current, named, as_of=as_of), as_of=as_of, **part)


def history_of(
    connection: Connection,
    current: Settings,
    ticket: Row,
    *,
    as_of: datetime,
    with_words: bool = False,
    skip: int = 0,
    at_most: int | None = None,
    cycles: int | None = None,
) -> TicketHistory:
    """What happened to a ticket that find_ticket has found, until `as_of` (aware UTC).

    Args:
        with_words: also what people wrote, which is personal data.
        skip, at_most: of the timeline, how many of the newest to leave out, and how many to give then; None: all.
        cycles: of the clocks, how many of the newest to give beside those that run; None: all.
    """
    key = {"account": ticket["account"], "ticket_id": ticket["ticket_id"], "as_of": as_of}
    know_hours_until(connection, Promises.of(current), as_of, (key["account"], key["ticket_id"]))
    one_more = None if at_most is None else at_most + 1
    found = read_steps(
        connection,
        {
            "clocks": ("tickets/show_clocks.sql", key | {"cycles": cycles}),
            "pauses": ("tickets/show_pauses.sql", key),
            "timeline": ("tickets/show_timeline.sql", key | {"skip": skip, "at_most": one_more}),
        },
    )
    clocks, timeline = found["clocks"], found["timeline"][:at_most]
    has_older = len(found["timeline"]) > len(timeline)
    older_cycles = max((clock.pop("all_cycles") for clock in clocks), default=0) - len(clocks)
    for clock in clocks:
        clock["pauses"] = [
            each for each in found["pauses"] if all(each[name] == clock[name] for name in ("metric", "cycle"))
        ]
    if with_words:
        mails = [activity["source_id"] for activity in timeline if activity["source"] == "mail"]
        told = _rows(connection, "words", {"account": ticket["account"], "mail_ids": mails})
        words = {row["mail_id"]: row["body"] for row in told}
        timeline = [row | {"words": words.get(row["source_id"])} for row in timeline]
    return TicketHistory(as_of, ticket, clocks, older_cycles, timeline, has_older)


def _near(connection: Connection, current: Settings, ticket_id: str) -> list[str]:
    """Ids of tickets of the same order or case, and of other generations."""
    key, part = ticket_id.partition("#")[0], ticket_id.rpartition(":")[2].partition("#")[0]
    accounts = [account.name for account in current.accounts]
    found = _rows(connection, "near", {"accounts": accounts, "key": key, "part": part}) if part else []
    return [row["ticket_id"] for row in found]


def _rows(connection: Connection, step: str, parameters: Row) -> list[Row]:
    return read_step(connection, f"tickets/show_{step}.sql", parameters)


# ---------- text


def render(history: TicketHistory) -> str:
    """At most 118 columns; times in UTC."""
    return "\n".join([*_head(history), "", *_clocks(history.clocks), "", *_timeline(history.timeline)])


def _head(history: TicketHistory) -> Iterator[str]:
    ticket = history.ticket
    yield f"{ticket['ticket_id']}  account {ticket['account']}, as of {_at(history.as_of)} UTC"
    order = ticket["order_id"] and f"order {ticket['order_id']} ({ticket['order_match']})"
    case = ticket["case_id"] and f"case {ticket['case_id']}"
    follows = ticket["follow_up_of"] and f"follows {ticket['follow_up_of']}"
    yield ", ".join(part for part in (ticket["ticket_type"], ticket["marketplace"], order, case, follows) if part)
    until = ticket["status_until"]
    if until and until > history.as_of:
        until = f"; changes on {_at(until)} if nothing else happens"
    yield f"{ticket['status']} since {_at(ticket['status_since'])}{until or ''}"


def _clocks(clocks: Sequence[Row]) -> Iterator[str]:
    yield "Clocks" if clocks else "No clock has started."
    width = max((len(clock["metric"]) for clock in clocks), default=0)
    for clock in clocks:
        left = clock["seconds_left"]
        state = STATES[clock["state"]].format(left="no end" if left is None else duration(abs(left)))
        yield f"  {clock['metric']:<{width}} {clock['cycle']:>2}  {state}"
        told = [f"started {_at(clock['started_at'])}"]
        told += [_pause(pause) for pause in clock["pauses"]]
        if clock["due_at"]:
            told.append(f"due {_at(clock['due_at'])}")
        if clock["breached_at"]:
            told.append(f"breached {_at(clock['breached_at'])}")
        if clock["stopped_at"]:
            told.append(f"stopped {_at(clock['stopped_at'])} by {clock['stopped_by']}")
        allowed = "a date that was told" if clock["target_seconds"] is None else duration(clock["target_seconds"])
        told.append(f"{duration(int(clock['elapsed_seconds'] or 0))} counted of {allowed}, {clock['calendar']}")
        told.append(f"policy {clock['policy']}")
        indent = " " * (width + 7)
        yield from textwrap.wrap("; ".join(told), WIDTH, initial_indent=indent, subsequent_indent=indent)


def _pause(pause: Row) -> str:
    until = f" until {_at(pause['until_at'])}" if pause["until_at"] else ""
    return f"{'at rest' if pause['is_rest'] else 'paused'} from {_at(pause['from_at'])} by {pause['cause']}{until}"


def _timeline(timeline: Sequence[Row]) -> Iterator[str]:
    yield "Timeline, newest first"
    widths = {name: max((len(row[name] or "") for row in timeline), default=0) for name in ("what", "actor")}
    for row in timeline:
        line = f"  {row['at'].astimezone(UTC):%Y-%m-%d %H:%M:%S}  {row['what']:<{widths['what']}}"
        line += f"  {row['actor']:<{widths['actor']}}  {_outcome(row)}"
        yield line.rstrip()[:WIDTH]
        if words := row.get("words"):
            yield textwrap.indent(words, " " * 8)


def _outcome(row: Row) -> str:
    if row["refused"]:
        return f"refused: {row['refused']}"
    told = [row["about"] or ""]
    if row["status"]:
        told.append(f"{row['status_before'] or 'arrived'} -> {row['status']}")
    if row["is_within_sla"] is not None:
        told.append("within the SLA" if row["is_within_sla"] else "SLA breached")
    if row["is_automatic"] and row["source"] != "rules":
        told.append("automatic")
    return ", ".join(part for part in told if part)


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
