"""What a visitor does to a ticket: checked, recorded, folded, and shown on the ticket's page again."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, BackgroundTasks, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from amazon_support.mail.extract import ORDER_ID
from amazon_support.orchestration import hooks
from amazon_support.outputs import acknowledge as acknowledgements
from amazon_support.outputs.ticket_history import history_of
from amazon_support.settings import Settings
from amazon_support.tickets import actions
from amazon_support.tickets.mail_decisions import BadRule, MailRule, decide, make_rule
from amazon_support.web import forms
from amazon_support.web.airflow_runs import FetchDep
from amazon_support.web.page import render
from amazon_support.web.reading import Row
from amazon_support.web.state import NowDep, SettingsDep, WarehouseDep
from amazon_support.web.tickets import MAIL_KINDS, address, form_subject, urgent, visible_ticket
from amazon_support.web.visitor import Visitor, VisitorDep

router = APIRouter()
Text = Annotated[str, Field(max_length=200)]
ALLOWED = {"scope": get_args(actions.Scope), "mail_kind": MAIL_KINDS}
BACK = ("mail", "cases", "health")  # lists on which a ticket can be acted on


class Given(BaseModel):
    """What a form of a ticket sends: the action, and what that needs.

    Attributes:
        key: of forms.key. mail_id: of decide_mail and make_rule. sender, phrase: of make_rule. back: the list that is
            shown afterwards; "": the ticket.
    """

    key: str = Field(max_length=500)
    action: Text
    agent: Text = ""
    stakeholder: Text = ""
    ticket_type: Text = ""
    order_id: Text = ""
    into: Text = ""
    scope: Text = "account"
    mail_id: Text = ""
    mail_kind: Text = ""
    sender: Text = ""
    phrase: Text = ""
    words: str = Field(default="", max_length=20_000)
    back: Text = ""


@dataclass(frozen=True)
class Place:
    """Where and when something is done, by whom, and by which click."""

    connection: Connection
    current: Settings
    visitor: Visitor
    ticket: Row
    identity: str
    now: datetime


@router.post("/tickets/{account}/{ticket_id:path}")
def act(
    request: Request,
    account: str,
    ticket_id: str,
    visitor: VisitorDep,
    connection: WarehouseDep,
    current: SettingsDep,
    now: NowDep,
    later: BackgroundTasks,
    fetch: FetchDep,
    given: Annotated[Given, Form()],
) -> Response:
    """Does it once, however often it is sent, and shows the ticket. What the rules refuse is told there."""
    if not visitor.may_act:
        raise HTTPException(403, "A viewer may look, not act.")
    identity = forms.identity(given.key, visitor.name, form_subject(account, ticket_id))
    ticket, _ = visible_ticket(connection, current, visitor, account, ticket_id, now)
    place = Place(connection, current, visitor, ticket, identity, now)
    try:
        shown = SPECIAL.get(given.action, _act)(place, given)
    except actions.Busy as error:
        raise HTTPException(503, str(error)) from error
    except actions.NotPossible as error:
        raise HTTPException(409, str(error)) from error
    if given.action == "attach_order":
        later.add_task(fetch)  # after the transaction: whoever fetches must see the order
    if given.back in BACK:
        did = urlencode({"did": identity, "account": account})
        return RedirectResponse(f"{request.scope.get('root_path', '')}/{given.back}?{did}", 303)
    return RedirectResponse(f"{address(request, account, shown or ticket_id)}?did={identity}", 303)


def _act(place: Place, given: Given) -> str | None:
    """An event of the ticket; gives the ticket to show then."""
    visitor, connection, ticket = place.visitor, place.connection, place.ticket
    deed = _deed(visitor, given, place.identity, {each.name for each in place.current.agents})
    if deed.into:
        other, _ = visible_ticket(connection, place.current, visitor, ticket["account"], deed.into, place.now)
        deed = replace(deed, into=other["ticket_key"])
    actions.act(connection, place.current, ticket, deed, at=place.now)
    moves = deed.kind in ("merge", "follow_up")
    return actions.newest_ticket(connection, ticket["account"], ticket["ticket_key"]) if moves else None


def _decide(place: Place, given: Given) -> str | None:
    deed = _deed(place.visitor, given, place.identity, set())
    mail, kind, by = _mail_of(place, given.mail_id), str(deed.mail_kind), deed.by
    return decide(
        place.connection, place.current, place.ticket, mail, kind, identity=place.identity, by=by, at=place.now
    )


def _make_rule(place: Place, given: Given) -> str | None:
    if place.visitor.role != "lead":
        raise HTTPException(403, "Rules are made and ended by leads.")
    if given.mail_kind not in MAIL_KINDS:
        raise HTTPException(422, f"{given.mail_kind}: expected one of {', '.join(MAIL_KINDS)}.")
    try:
        rule = MailRule(given.mail_kind, given.sender.strip(), given.phrase.strip())
    except BadRule as error:
        raise HTTPException(422, str(error)) from error
    ticket = place.ticket
    by, identity = place.visitor.name, place.identity
    make_rule(place.connection, place.current, ticket["account"], rule, identity=identity, by=by, at=place.now)
    return actions.newest_ticket(place.connection, ticket["account"], ticket["ticket_key"])


def _see_to_it(place: Place, given: Given) -> str | None:
    """Nobody is alerted any more of what is late on the ticket now, or about to be."""
    running = history_of(place.connection, place.current, place.ticket, as_of=place.now, at_most=0, cycles=0).clocks
    breaches = urgent(running)
    if not breaches:
        raise actions.NotPossible("Nothing on this ticket is late or about to be: there is nothing to see to.")
    ticket, by = place.ticket, place.visitor.agent or place.visitor.name
    for topic, cycle in breaches:
        breach = acknowledgements.Breach(ticket["account"], topic, ticket["ticket_id"], cycle, by)
        acknowledgements.acknowledge(place.connection, breach, at=place.now)
    return None


SPECIAL = {"decide_mail": _decide, "make_rule": _make_rule, "acknowledge": _see_to_it}


def _mail_of(place: Place, mail_id: str) -> str:
    timeline = history_of(place.connection, place.current, place.ticket, as_of=place.now, cycles=0).timeline
    if not any(each["source"] == "mail" and each["source_id"] == mail_id for each in timeline):
        raise HTTPException(422, "That mail is not on this ticket.")
    return mail_id


def _deed(visitor: Visitor, form: Given, identity: str, agents: set[str]) -> actions.Action:
    given = {name: value.strip() for name, value in form.model_dump(exclude={"key", "action"}).items()}
    action = form.action
    needs = {
        "take": "agent",
        "assign": "agent",
        "hold": "stakeholder",
        "change_type": "ticket_type",
        "attach_order": "order_id",
        "detach_order": "order_id",
        "merge": "into",
        "black_list": "scope",
        "black_list_end": "scope",
        "decide_mail": "mail_kind",
        "note": "words",
        "solve": None,
        "no_response_needed": None,
        "unread": None,
        "follow_up": None,
    }
    if action not in needs:
        raise HTTPException(422, f"There is no action {action}.")
    if action == "take":
        action, given["agent"] = "assign", visitor.agent or ""
    need = needs[action]
    if need and not given[need]:
        raise HTTPException(422, f"{action.replace('_', ' ').capitalize()}: say the {need.replace('_', ' ')}, too.")
    if need in ALLOWED and given[need] not in ALLOWED[need]:
        raise HTTPException(422, f"{given[need]}: expected one of {', '.join(ALLOWED[need])}.")
    if need == "agent" and given["agent"] not in agents:
        raise HTTPException(422, f"Agent {given['agent']} is not in agents.yaml.")
    if need == "order_id" and not ORDER_ID.fullmatch(given["order_id"]):
        raise HTTPException(422, f"{given['order_id']} is no order id; expected such as 302-1234567-1234567.")
    wanted: Any = {need: given[need]} if need else {}
    return actions.Action(kind=action, identity=identity, by=visitor.name, **wanted)  # type: ignore[arg-type]


# ---------- acknowledging a breach


@router.get("/acknowledge/{token}")
def ask(request: Request, token: str, visitor: VisitorDep, current: SettingsDep, now: NowDep) -> Response:
    """Asks whether the visitor sees to the breach that an alert told of; looking changes nothing."""
    breach = _breach(token, visitor, current, now)
    return render(
        request,
        "acknowledge",
        visitor=visitor,
        breach=breach,
        ticket_page=address(request, breach.account, breach.ticket_id),
        form_key=forms.key(visitor.name, token),
    )


@router.post("/acknowledge/{token}")
def acknowledge(
    request: Request,
    token: str,
    visitor: VisitorDep,
    connection: WarehouseDep,
    current: SettingsDep,
    now: NowDep,
    key: Annotated[str, Form(max_length=500)],
) -> Response:
    """Nobody is told of that breach again."""
    forms.identity(key, visitor.name, token)
    breach = _breach(token, visitor, current, now)
    acknowledgements.acknowledge(connection, breach, at=now)
    return RedirectResponse(address(request, breach.account, breach.ticket_id), 303)


def _breach(token: str, visitor: Visitor, current: Settings, now: datetime) -> acknowledgements.Breach:
    """What the link is about, seen to by whoever opened it."""
    if not visitor.may_act:
        raise HTTPException(403, "A viewer may look, not act.")
    try:
        breach = hooks.acknowledgement_links().read(token, current, at=now)
    except acknowledgements.BadToken as error:
        raise HTTPException(404, str(error)) from None
    return replace(breach, by=visitor.agent or visitor.name)
