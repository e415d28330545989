"""A stand-in for Amazon: Login with Amazon and the Selling Partner API (orders, reports, sellers) on one port.

It speaks for all regions: the access token tells seller and region. Paths, parameters, rates and static sandbox
cases come from Amazon's own models (see spapi_models).
"""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4
from xml.sax.saxutils import escape

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from sandbox.amazon_call import ApiError, Call, Handler, invalid, read_parameters
from sandbox.amazon_faults import Faults, FaultyCalls
from sandbox.amazon_models import Operation, operations
from sandbox.amazon_orders import OrdersApi
from sandbox.amazon_rates import RateLimits
from sandbox.amazon_report_content import ReportMaker, make_report
from sandbox.amazon_reports import ReportsApi
from sandbox.amazon_sellers import HANDLERS as SELLERS_HANDLERS
from sandbox.amazon_static import static_case
from sandbox.amazon_tokens import AccessTokens
from sandbox.world import World

TOKEN_PATH = "/auth/o2/token"  # noqa: S105 - a path, no secret
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


def create_app(
    world: World,
    *,
    rate_factor: float = 1.0,
    clock: Clock = utc_now,
    static_sandbox: bool = False,
    faults: Faults | None = None,
    make_report: ReportMaker = make_report,
) -> FastAPI:
    """The application. Serve it with `sandbox.http.serve`.

    Args:
        world: sellers and orders; read once, later changes are not seen.
        rate_factor: multiplies Amazon's rates and bursts, and the speed at which reports are made.
        clock: aware UTC; orders created after it do not exist yet, tokens and URLs expire by it.
        static_sandbox: answer requests that match a static case of the models with exactly that case.
        faults: what is to go wrong.
        make_report: makes the documents of ordered reports.

    Raises: ValueError if rate_factor is not positive.
    """
    if rate_factor <= 0:
        raise ValueError(f"rate_factor is {rate_factor}; expected a number above 0, such as 1 or 1000")
    app = FastAPI(title="Amazon stand-in", docs_url=None, redoc_url=None, openapi_url=None)
    tokens = AccessTokens(world.sellers)
    orders = OrdersApi(world)
    faults = faults or Faults()
    reports = ReportsApi(world, orders, pace=rate_factor, faults=faults, make_report=make_report)
    handlers = {**orders.handlers, **reports.handlers, **SELLERS_HANDLERS}
    gate = _Gate(tokens, RateLimits(rate_factor), clock, static_sandbox)
    for operation in operations():
        if operation.name in handlers or static_sandbox:
            endpoint = gate.endpoint(operation, handlers.get(operation.name, _no_case))
            app.add_api_route(operation.path, endpoint, methods=[operation.method], name=operation.name)
    _add_token_route(app, tokens, clock)
    _add_download_route(app, reports, clock)
    _add_errors(app)
    app.add_middleware(FaultyCalls, faults=faults, routes=app.router.routes)
    return app


class _Gate:
    """What every call passes: authentication, rate limit, static cases, parameters; then its handler."""

    def __init__(self, tokens: AccessTokens, limits: RateLimits, clock: Clock, static_sandbox: bool) -> None:
        self._tokens = tokens
        self._limits = limits
        self._clock = clock
        self._static_sandbox = static_sandbox

    def endpoint(self, operation: Operation, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            headers: dict[str, str] = {}
            try:
                status, content = self._pass(operation, handler, request, await request.body(), headers)
            except ApiError as refusal:
                status, content = refusal.status, refusal.body
            if content is None:
                return Response(status_code=status, headers=headers)
            return JSONResponse(content, status, headers)

        return answer

    def _pass(
        self, operation: Operation, handler: Handler, request: Request, raw: bytes, headers: dict[str, str]
    ) -> tuple[int, Any]:
        now = self._clock()
        seller = self._tokens.seller(request.headers.get("x-amz-access-token"), now)
        headers["x-amzn-RateLimit-Limit"] = str(float(f"{self._limits.rate(operation):.6g}"))
        if not self._limits.take(seller, operation, now):
            raise ApiError(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")
        body = _json(raw) if operation.method == "POST" else None
        if self._static_sandbox:
            case = static_case(operation, request.path_params, request.query_params, body)
            if case is not None:
                return case.status, case.response
        given = read_parameters(operation, request.query_params)
        call = Call(seller, now, _base_url(request), request.path_params, given, body)
        return operation.status, handler(call)


def _add_token_route(app: FastAPI, tokens: AccessTokens, clock: Clock) -> None:
    @app.post(TOKEN_PATH)
    async def token(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(errors="replace")))
        status, answer = tokens.issue(form, clock())
        return JSONResponse(answer, status, {"cache-control": "no-store"})


def _add_download_route(app: FastAPI, reports: ReportsApi, clock: Clock) -> None:
    @app.get("/documents/{ticket}")
    async def download(ticket: str) -> Response:
        try:
            document, unzip = reports.download(ticket, clock())
        except PermissionError as refusal:
            # As the file store behind Amazon's URLs answers.
            error = f"<Error><Code>AccessDenied</Code><Message>{escape(str(refusal))}</Message></Error>"
            return Response(f'<?xml version="1.0" encoding="UTF-8"?>\n{error}', 403, media_type="application/xml")
        headers = {"content-encoding": "gzip"} if unzip else None
        return Response(document.content, headers=headers, media_type=document.content_type)


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        code = {404: "NotFound", 405: "MethodNotAllowed"}.get(error.status_code, "InvalidInput")
        return JSONResponse(ApiError(error.status_code, code, str(error.detail)).body, error.status_code)

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        message = "We encountered an internal error. Please try again."
        return JSONResponse(ApiError(500, "InternalFailure", message).body, 500, _request_id())

    @app.middleware("http")
    async def identify(request: Request, proceed: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await proceed(request)
        response.headers.update(_request_id())
        return response


def _request_id() -> dict[str, str]:
    return {"x-amzn-RequestId": str(uuid4())}


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        raise invalid("The request body is not JSON.") from None


def _base_url(request: Request) -> str:
    # Not from the Host header: the client library cuts it at the length of "https://".
    host, port = request.scope["server"]
    return f"{request.url.scheme}://{host}:{port}"


def _no_case(call: Call) -> Any:
    raise invalid("No static sandbox case matches this request, and the stand-in serves this operation only as such.")
