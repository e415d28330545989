"""Cases with Amazon's Seller Support that are not done."""

from fastapi import APIRouter, Request, Response

from amazon_support.web.page import render
from amazon_support.web.reading import mail_words, rows
from amazon_support.web.state import NowDep, WarehouseDep
from amazon_support.web.visitor import VisitorDep

router = APIRouter()


@router.get("/cases")
def cases(request: Request, visitor: VisitorDep, connection: WarehouseDep, now: NowDep) -> Response:
    """Each case with its subject, what Amazon said last, and when it is to be chased; the first to chase first."""
    found = rows(connection, "cases", as_of=now, **visitor.scope)
    words = mail_words(connection, visitor, [row for row in found if row["mail_id"]], "cases", now)
    return render(request, "cases", visitor=visitor, now=now, cases=found, words=words)
