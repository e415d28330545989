"""The page of one ticket."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import accumulate
from typing import Annotated, get_args

from fastapi import APIRouter, HTTPException, Query, Request, Response
from sqlalchemy import Connection

from amazon_support.mail.facts import Kind as MailKind
from amazon_support.outputs.ticket_history import TicketHistory, UnknownTicket, find_ticket, history_of
from amazon_support.settings import Settings
from amazon_support.tickets.actions import newest_ticket, refusal
from amazon_support.web import forms
from amazon_support.web.links import links
from amazon_support.web.page import render
from amazon_support.web.reading import Row, note_view, rows, several
from amazon_support.web.state import NowDep, SettingsDep, WarehouseDep
from amazon_support.web.visitor import Visitor, VisitorDep
from amazon_support.web.words import ticket_path

router = APIRouter()
MAIL_KINDS = get_args(MailKind)
ACTIVITIES = 50  # on a page at most
CYCLES = 30  # of clocks on a page, and those that still run
CLOCKS_IN_SIGHT = 6  # and those that still run; the others of the page when they are asked for: words matter more
WORDS = 100_000  # bytes of mails and notes on a page at most; a longer mail is cut there
# Clocks of which people are alerted, and what an alert calls them.
TOPICS = {"amazon_reply": "reply", "notification_deadline": "deadline", "a_to_z_deadline": "deadline"}
URGENT = ("at_risk", "breached_open")


class Moved(Exception):
    """The ticket is part of another one now."""

    def __init__(self, account: str, ticket_id: str) -> None:
        self.account, self.ticket_id = account, ticket_id
        super().__init__(ticket_id)


def address(request: Request, account: str, ticket_id: str) -> str:
    """Path of the ticket's page."""
    return f"{request.scope.get('root_path', '')}/{ticket_path(account, ticket_id)}"


def visible_ticket(
    connection: Connection,
    current: Settings,
    visitor: Visitor,
    account: str,
    ticket_id: str,
    now: datetime,
) -> tuple[Row, list[Row]]:
    """The ticket as of now, as find_ticket gives it, and who has it.

    Raises: HTTPException 404 if there is none, 403 if it is not the visitor's to see; Moved.
    """
    try:
        ticket = find_ticket(connection, current, f"{account}/{ticket_id}", as_of=now)
    except UnknownTicket as error:
        if merged_into := newest_ticket(connection, account, ticket_id.partition("#")[0]):
            raise Moved(account, merged_into) from None
        raise HTTPException(404, str(error)) from None
    agents = rows(connection, "ticket_agents", account=account, ticket_id=ticket_id, as_of=now)
    if not visitor.sees(ticket["marketplace"]) and visitor.team.isdisjoint(row["agent"] for row in agents):
        raise HTTPException(403, f"Ticket {ticket_id} is of a marketplace of other agents.")
    return ticket, agents


@router.get("/tickets/{account}/{ticket_id:path}")
def ticket(
    request: Request,
    account: str,
    ticket_id: str,
    visitor: VisitorDep,
    connection: WarehouseDep,
    current: SettingsDep,
    now: NowDep,
    did: Annotated[str, Query(max_length=40)] = "",
    skip: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """A ticket: what happened to it, its clocks, its order, and what else the buyer had to do with us.

    `skip`: so many of the newest activities are on the pages before.
    """
    shown = shown_ticket(
        connection,
        current,
        visitor,
        account,
        ticket_id,
        now,
        page="ticket",
        skip=skip,
        at_most=ACTIVITIES,
        cycles=CYCLES,
    )
    fitting = _fitting(shown["timeline"], shown["messages"], shown["notes"])
    clocks = [clock for n, clock in enumerate(shown["clocks"]) if n < CLOCKS_IN_SIGHT or clock["stopped_at"] is None]
    has_older = shown.pop("has_older") or len(fitting) < len(shown["timeline"])
    return render(
        request,
        "ticket",
        visitor=visitor,
        now=now,
        done=done(connection, account, did),
        form_key=forms.key(visitor.name, form_subject(account, ticket_id)),
        links=list(links(current, shown["ticket"])),
        everybody=[each.name for each in current.agents],
        types=rows(connection, "ticket_types"),
        mail_kinds=[kind for kind in MAIL_KINDS if kind != "unknown"],
        urgent=urgent(shown["clocks"], shown["acknowledged"]),
        topics=TOPICS,
        skip=skip,
        older=skip + len(fitting) if has_older else None,
        longest=WORDS,
        earlier_clocks=[clock for clock in shown["clocks"] if clock not in clocks],
        **shown | {"timeline": fitting, "clocks": clocks},
    )


def _fitting(timeline: list[Row], messages: Row, notes: Row) -> list[Row]:
    """The newest activities whose words fit on a page; one at least."""
    words = (
        (messages.get(each["source_id"]) or {}).get("body") or notes.get(each["source_id"]) or "" for each in timeline
    )
    sizes = accumulate(len(each.encode()) for each in words)
    return [each for n, (each, size) in enumerate(zip(timeline, sizes, strict=True)) if n == 0 or size <= WORDS]


def shown_ticket(
    connection: Connection,
    current: Settings,
    visitor: Visitor,
    account: str,
    ticket_id: str,
    now: datetime,
    *,
    page: str,
    skip: int = 0,
    at_most: int | None = None,
    cycles: int | None = None,
) -> Row:
    """All that the visitor is shown of a ticket; that it was personal data is on record, as seen on `page`.

    `skip`, `at_most`, `cycles`: as in history_of.

    Raises: as visible_ticket.
    """
    # By keys alone: one plan fits them all, and twenty plans take nine times as long to make as to run.
    connection.exec_driver_sql("set local plan_cache_mode = force_generic_plan")
    ticket, agents = visible_ticket(connection, current, visitor, account, ticket_id, now)
    history = history_of(connection, current, ticket, as_of=now, skip=skip, at_most=at_most, cycles=cycles)
    asked = _asked(ticket, now)
    if visitor.sees_personal_data:
        asked |= _personal(history)
        note_view(connection, visitor, account, ticket_id, page, now)
    found = several(connection, **asked)
    return {
        **found,
        "ticket": ticket,
        "agents": agents,
        "clocks": history.clocks,
        "older_cycles": history.older_cycles,
        "timeline": history.timeline,
        "has_older": history.has_older,
        "undecided": next(_undecided(history), None),
        "order": next(iter(found["order"]), None),
        "messages": {row["mail_id"]: row for row in found.get("messages", ())},
        "notes": {row["source_id"]: row["body"] for row in found.get("notes", ())},
        "contact": next(iter(found.get("contact", ())), None),
        "removed": _removed(found.get("removed", ())),
        "addresses": found.get("addresses", []),
    }


def _asked(ticket: Row, now: datetime) -> dict[str, tuple[str, Row]]:
    """What a ticket's page shows to everybody."""
    key = {name: ticket[name] for name in ("account", "ticket_id")}
    order = {name: ticket[name] for name in ("account", "order_id")}
    buyer = {"buyer_ref": ticket["buyer_ref"]}
    return {
        "acknowledged": ("ticket_acknowledged", key),
        "black_listed": ("ticket_black_list", {"account": ticket["account"], **buyer}),
        "order": ("ticket_order", order),
        "items": ("ticket_items", order),
        "packages": ("ticket_packages", order),
        "review_requests": ("ticket_review_requests", {**order, "as_of": now}),
        "relatives": ("ticket_relatives", {**key, **order, **buyer, "as_of": now}),
        "orders": ("ticket_orders_of_buyer", {**order, **buyer, "as_of": now}),
    }


def _personal(history: TicketHistory) -> dict[str, tuple[str, Row]]:
    """What it shows to who may see personal data, too."""
    ticket = history.ticket
    account = {"account": ticket["account"]}
    order = {**account, "order_id": ticket["order_id"]}
    mails = [activity["source_id"] for activity in history.timeline if activity["source"] == "mail"]
    notes = [activity["source_id"] for activity in history.timeline if activity["what"] == "note"]
    return {
        "messages": ("ticket_messages", {**account, "mail_ids": mails}),
        "contact": ("ticket_contact", order),
        "notes": ("ticket_notes", {**account, "source_ids": notes}),
        "removed": ("ticket_removed", {**order, "ticket_key": ticket["ticket_key"], "mail_ids": mails}),
        "addresses": ("ticket_addresses", order),
    }


def _removed(found: Iterable[Row]) -> Row:
    """When words of mails, words of notes ("notes") and the buyer ("buyer") were removed, by mail or those names."""
    names = {"order": "buyer", "ticket": "notes"}
    return {names.get(str(row["kind"]), str(row["key"])): row["removed_at"] for row in found}


def form_subject(account: str, ticket_id: str) -> str:
    """What the key of a form of that ticket is made for."""
    return f"{account}/{ticket_id}"


def done(connection: Connection, account: str, identity: str) -> Row | None:
    """What was done on a page just now (kind, about), and why it has no effect (refusal); None if nothing was."""
    found = rows(connection, "ticket_done", account=account, source_id=identity) if identity else []
    return found[0] | {"refusal": refusal(connection, account, identity)} if found else None


def urgent(clocks: Iterable[Row], acknowledged: Iterable[Row] = ()) -> list[tuple[str, int]]:
    """(topic, cycle) of each clock of which somebody is, or soon will be, alerted and that nobody sees to."""
    seen_to = {(row["topic"], row["cycle"]) for row in acknowledged}
    found = [
        (TOPICS[clock["metric"]], clock["cycle"])
        for clock in clocks
        if clock["metric"] in TOPICS and clock["state"] in URGENT
    ]
    return [each for each in found if each not in seen_to]


def _undecided(history: TicketHistory) -> Iterator[str]:
    """Mails that somebody has to say of what they are, the newest first."""
    return (each["source_id"] for each in history.timeline if each["source"] == "mail" and each["about"] == "unknown")
