"""What a visitor does to a ticket: checked, recorded, folded, and shown on the ticket's page again."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from amazon_support.mail.extract import ORDER_ID
from amazon_support.orchestration import hooks
from amazon_support.outputs import acknowledge as acknowledgements
from amazon_support.outputs.ticket_history import TicketHistory
from amazon_support.settings import Settings
from amazon_support.tickets import actions
from amazon_support.tickets.mail_decisions import decide
from amazon_support.web import forms
from amazon_support.web.page import render
from amazon_support.web.state import NowDep, SettingsDep, WarehouseDep
from amazon_support.web.tickets import MAIL_KINDS, address, visible_ticket
from amazon_support.web.visitor import Visitor, VisitorDep

router = APIRouter()
Text = Annotated[str, Form(max_length=200)]
ALLOWED = {"scope": get_args(actions.Scope), "mail_kind": MAIL_KINDS}


@router.post("/tickets/{account}/{ticket_id:path}")
def act(
    request: Request,
    account: str,
    ticket_id: str,
    visitor: VisitorDep,
    connection: WarehouseDep,
    current: SettingsDep,
    now: NowDep,
    key: Annotated[str, Form(max_length=500)],
    action: Text,
    agent: Text = "",
    stakeholder: Text = "",
    ticket_type: Text = "",
    order_id: Text = "",
    into: Text = "",
    scope: Text = "account",
    mail_id: Text = "",
    mail_kind: Text = "",
    words: Annotated[str, Form(max_length=20_000)] = "",
) -> Response:
    """Does it once, however often it is sent, and shows the ticket. What the rules refuse is told there."""
    if not visitor.may_act:
        raise HTTPException(403, "A viewer may look, not act.")
    identity = forms.identity(key, visitor.name, f"{account}/{ticket_id}")
    history, _ = visible_ticket(connection, current, visitor, account, ticket_id, now)
    given = {"agent": agent, "stakeholder": stakeholder, "ticket_type": ticket_type, "order_id": order_id}
    given |= {"into": into, "scope": scope, "mail_kind": mail_kind, "words": words}
    deed = _deed(visitor, action, identity, given, {each.name for each in current.agents})
    if deed.into:
        other, _ = visible_ticket(connection, current, visitor, account, deed.into, now)
        deed = replace(deed, into=other.ticket["ticket_key"])
    shown: str | None = ticket_id
    try:
        if deed.kind == "decide_mail":
            mail, kind = _mail_of(history, mail_id), str(deed.mail_kind)
            shown = decide(connection, current, history.ticket, mail, kind, identity=identity, by=deed.by, at=now)
        else:
            actions.act(connection, current, history.ticket, deed, at=now)
            if deed.kind in ("merge", "follow_up"):
                shown = actions.newest_ticket(connection, account, history.ticket["ticket_key"])
    except actions.Busy as error:
        raise HTTPException(503, str(error)) from error
    except actions.NotPossible as error:
        raise HTTPException(409, str(error)) from error
    return RedirectResponse(f"{address(request, account, shown or ticket_id)}?did={identity}", 303)


def _mail_of(history: TicketHistory, mail_id: str) -> str:
    if not any(each["source"] == "mail" and each["source_id"] == mail_id for each in history.timeline):
        raise HTTPException(422, "That mail is not on this ticket.")
    return mail_id


def _deed(visitor: Visitor, action: str, identity: str, given: dict[str, str], agents: set[str]) -> actions.Action:
    given = {name: value.strip() for name, value in given.items()}
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
