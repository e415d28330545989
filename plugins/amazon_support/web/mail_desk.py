"""Mail to decide: what no rule understood or what may belong to several tickets, and rules that people made of it."""

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse

from amazon_support.tickets.mail_decisions import end_rule
from amazon_support.web import forms
from amazon_support.web.page import render
from amazon_support.web.reading import mail_words, rows
from amazon_support.web.state import NowDep, WarehouseDep
from amazon_support.web.tickets import MAIL_KINDS, done, form_subject
from amazon_support.web.visitor import VisitorDep

router = APIRouter()
A_PAGE = 25
IMITATIONS_OF = timedelta(days=30)


@router.get("/mail")
def mail(
    request: Request,
    visitor: VisitorDep,
    connection: WarehouseDep,
    now: NowDep,
    after: Annotated[str, Query(max_length=300)] = "",
    did: Annotated[str, Query(max_length=40)] = "",
    account: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """Mail of which somebody has to say what it is, the longest waiting first.

    `after`: the last row of the page before, as its instant and id. `did`: identity of what was done there just now.
    """
    after_at, _, after_id = after.partition("|")
    found = rows(
        connection,
        "mail_to_decide",
        as_of=now,
        **visitor.scope,
        after_at=after_at or None,
        after_id=after_id or None,
        at_most=A_PAGE,
    )
    is_lead = visitor.role == "lead"
    last = found[-1] if found and len(found) < found[0]["found"] else None
    return render(
        request,
        "mail",
        visitor=visitor,
        now=now,
        mails=[
            row | {"form_key": forms.key(visitor.name, form_subject(row["account"], row["ticket_id"]))} for row in found
        ],
        words=mail_words(connection, visitor, found, "mail", now),
        more=last and urlencode({"after": f"{last['received_at'].isoformat()}|{last['id']}"}),
        mail_kinds=[kind for kind in MAIL_KINDS if kind != "unknown"],
        rules=rows(connection, "mail_rules") if is_lead else [],
        rules_key=forms.key(visitor.name, "mail rules"),
        imitations=rows(connection, "mail_imitations", since=now - IMITATIONS_OF) if is_lead else [],
        done=done(connection, account, did),
    )


@router.post("/mail/rules")
def end(
    request: Request,
    visitor: VisitorDep,
    connection: WarehouseDep,
    now: NowDep,
    key: Annotated[str, Form(max_length=500)],
    account: Annotated[str, Form(max_length=100)],
    rule_id: Annotated[int, Form(ge=1)],
) -> Response:
    """Ends a rule: mail that comes from now on is not for it any more."""
    forms.identity(key, visitor.name, "mail rules")
    if visitor.role != "lead":
        raise HTTPException(403, "Rules are made and ended by leads.")
    end_rule(connection, account, rule_id, by=visitor.name, at=now)
    return RedirectResponse(f"{request.scope.get('root_path', '')}/mail#rules", 303)
