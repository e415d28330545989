"""Faults on demand: what tests and rehearsals let the stand-in do wrong, over real HTTP."""

import asyncio
import json
import random
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.amazon_call import ApiError, invalid

EVERY_CALL = "*"
# As Amazon names them.
CODES = {400: "InvalidInput", 401: "Unauthorized", 403: "Unauthorized", 404: "NotFound", 429: "QuotaExceeded"}


@dataclass(frozen=True)
class Fault:
    """What becomes of one call.

    Attributes:
        status: answered instead of carrying the call out.
        body: bytes, or a value to be sent as JSON; default: an error as Amazon words it.
        content_type: of a body of bytes.
        headers: further headers of that answer.
        delay: real seconds before anything is answered.
        truncate: the call is carried out; this share of its answer is sent, as if it were all.
        reset: the call is carried out; all of its answer is announced, half of it sent, then the connection ends.
        expire_page_token: only a call with a page token is meant; the token is said to have expired.
    """

    status: int | None = None
    body: Any = None
    content_type: str = "text/html"
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    truncate: float | None = None
    reset: bool = False
    expire_page_token: bool = False

    @property
    def answers(self) -> bool:
        """Whether the fault answers by itself, so that the call is not carried out."""
        return self.status is not None or self.body is not None or self.expire_page_token

    def answer(self) -> tuple[int, bytes, str]:
        """Status, body and Content-Type of such a fault."""
        if self.expire_page_token:
            refusal = invalid("paginationToken has expired.")
            return refusal.status, json.dumps(refusal.body).encode(), "application/json"
        status = self.status or 200
        if isinstance(self.body, bytes):
            return status, self.body, self.content_type
        body = self.body
        if body is None:
            body = ApiError(status, CODES.get(status, "InternalFailure"), "A fault was asked for.").body
        return status, json.dumps(body).encode(), "application/json"


class Faults:
    """Faults to come, and the calls that were made.

    Operations are called as in Amazon's models, such as "getReport"; further "token", "download", and "*" for every
    call. May be used while the stand-in runs.

    Attributes:
        calls: calls by operation, those with a fault among them.
    """

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self._next: dict[str, deque[Fault]] = defaultdict(deque)
        self._shares: list[tuple[str, float, random.Random, Fault]] = []
        self._reports: dict[str, deque[tuple[str, str | None]]] = defaultdict(deque)

    def next(
        self,
        operation: str,
        *,
        times: int = 1,
        after: int = 0,
        share: float | None = None,
        seed: int = 0,
        **fault: Any,
    ) -> None:
        """Lets the next call of the operation go wrong.

        Args:
            times: how many calls; after: how many go well before them.
            share: instead of the next ones, this share of all calls from now on, drawn by `seed`.
            fault: see Fault.
        """
        if share is not None:
            self._shares.append((operation, share, random.Random(seed), Fault(**fault)))
        else:
            self._next[operation].extend([Fault()] * after + [Fault(**fault)] * times)

    def report(self, report_type: str, status: str, *, reason: str | None = None, times: int = 1) -> None:
        """Lets the next report of the type end as FATAL, with a document that says why, or as CANCELLED."""
        self._reports[report_type].extend([(status, reason)] * times)

    def heal(self) -> None:
        """Lets every call go well from now on."""
        self._next.clear()
        self._shares.clear()
        self._reports.clear()

    # ---------- for the stand-in

    def take(self, operation: str, *, has_page_token: bool = False) -> Fault:
        """The fault of a call that was just made; one without effect if it is to go well."""
        self.calls[operation] += 1
        for name in (operation, EVERY_CALL):
            waiting = self._next[name]
            if waiting and (has_page_token or not waiting[0].expire_page_token):
                return waiting.popleft()
        for name, share, dice, fault in self._shares:
            if name in (operation, EVERY_CALL) and dice.random() < share:
                return fault
        return Fault()

    def take_report(self, report_type: str) -> tuple[str, str | None] | None:
        """Status and reason for a report that is just finished; None if it is to go well."""
        waiting = self._reports[report_type]
        return waiting.popleft() if waiting else None


class FaultyCalls:
    """ASGI middleware that lets calls go wrong."""

    def __init__(self, app: ASGIApp, faults: Faults, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._faults = faults
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        fault = self._faults.take(self._operation(scope), has_page_token=b"paginationToken=" in scope["query_string"])
        await asyncio.sleep(fault.delay)
        if fault.answers:
            while (await receive()).get("more_body"):  # who answers before it has read all resets the connection
                pass
            await _answer(fault, send)
        elif fault.reset or fault.truncate is not None:
            await self._cut_short(fault, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _operation(self, scope: Scope) -> str:
        for route in self._routes:
            if isinstance(route, Route) and route.matches(scope)[0] is Match.FULL:
                return route.name
        return "unknown"

    async def _cut_short(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, keep)
        start, body = messages[0], b"".join(message.get("body", b"") for message in messages[1:])
        sent = body[: int(len(body) * (0.5 if fault.truncate is None else fault.truncate))]
        length = len(body) if fault.reset else len(sent)
        headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
        await send({**start, "headers": [*headers, (b"content-length", str(length).encode())]})
        # An answer left unfinished makes the server close the connection.
        await send({"type": "http.response.body", "body": sent, "more_body": fault.reset})


async def _answer(fault: Fault, send: Send) -> None:
    status, body, content_type = fault.answer()
    headers = {"content-type": content_type, "content-length": str(len(body)), **fault.headers}
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
