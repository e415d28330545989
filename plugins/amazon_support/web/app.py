"""The application that Airflow's api-server mounts: who may come in, what every answer carries, how errors look."""

import gc
from time import monotonic
from typing import Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.exception_handlers import request_validation_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from amazon_support.settings import SettingsError
from amazon_support.web import api, cases, deeds, health, levels, mail_desk, pages, tickets, worklist
from amazon_support.web.healthz import healthz
from amazon_support.web.page import render
from amazon_support.web.tickets import Moved, address

# Nothing from elsewhere, nothing inline, and in no frame but Airflow's own.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'self'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

# No route but one is open: Airflow asks nobody who comes to a mounted application.
app = FastAPI(title="Support desk", docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(get_user)])
for part in (pages, worklist, levels, mail_desk, cases, health, tickets, deeds, api):
    app.include_router(part.router)
# A route of Starlette's, without FastAPI's dependencies: open to monitors. It tells nothing that is anybody's.
app.add_route("/healthz", healthz, methods=["GET"])


# Seconds from the start, the next one last: some of Airflow's code is loaded when the first task asks for it.
_to_settle = [300.0, 0.0]
_began = monotonic()


def settle() -> None:
    """Takes what is loaded out of the search for garbage: Airflow's code is so much that a full one, every few hundred
    pages, keeps everybody waiting for a second.
    """
    if _to_settle and monotonic() - _began >= _to_settle[-1]:
        _to_settle.pop()
        gc.collect()
        gc.freeze()


class SafeHeaders:
    """Gives every answer the headers that keep foreign content out."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        settle()

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_safely)


app.add_middleware(SafeHeaders)


@app.exception_handler(AnyHTTPException)
async def explain(request: Request, error: HTTPException) -> Response:
    """An error as a page for people, who are led to the sign-in where that helps; as JSON for programs."""
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"detail": error.detail}, error.status_code, headers=error.headers)
    if error.status_code == 401:
        return RedirectResponse(get_auth_manager().get_url_login(next_url=str(request.url)), 303)
    page = _error_page(request, error.status_code, str(error.detail))
    page.headers.update(error.headers or {})
    return page


@app.exception_handler(RequestValidationError)
async def explain_question(request: Request, error: RequestValidationError) -> Response:
    """What of the address or the form was not understood, in a sentence for people."""
    if "text/html" not in request.headers.get("accept", ""):
        return await request_validation_exception_handler(request, error)
    said = "; ".join(f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in error.errors())
    return _error_page(request, 422, said)


@app.exception_handler(Exception)
async def apologise(request: Request, error: Exception) -> Response:
    """Whatever nobody foresaw; Airflow's api-server logs it with its place in the code."""
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"detail": "Internal error; the log of the api-server says more."}, 500, headers=HEADERS)
    return _error_page(request, 500, "That should not have happened. The log of Airflow's api-server says more.")


@app.exception_handler(Moved)
async def lead_on(request: Request, moved: Moved) -> Response:
    """A ticket that was merged into another one is found there."""
    return RedirectResponse(address(request, moved.account, moved.ticket_id), 303)


@app.exception_handler(SettingsError)
async def explain_setting(request: Request, error: SettingsError) -> Response:
    """A wrong setting stops the pages as it stops the pipeline, and says where it is."""
    return _error_page(request, 503, f"A setting is wrong: {error}")


def _error_page(request: Request, status: int, detail: str) -> HTMLResponse:
    back = request.url.path if request.method == "POST" and "/tickets/" in request.url.path else None
    shown: dict[str, Any] = {"status": status, "detail": detail, "visitor": None, "back": back}
    answer = render(request, "error", status_code=status, **shown)
    answer.headers.update(HEADERS)
    return answer
