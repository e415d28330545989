"""The one client for Amazon's Selling Partner API: python-amazon-sp-api, with one place for rates and errors."""

import json
import logging
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, BinaryIO, Literal
from urllib.parse import urlsplit

import httpx

from amazon_support.sources.errors import (
    BadCredentials,
    NotFound,
    SourceError,
    Throttled,
    TokenExpired,
    Unavailable,
    UrlExpired,
)
from amazon_support.sources.rates import PATIENCE, PUBLISHED, RateLimiter, utc_now

if TYPE_CHECKING:
    from sp_api.base import Client

log = logging.getLogger(__name__)

UNAVAILABLE_WAITS = (1.0, 4.0, 15.0)  # seconds between attempts when Amazon does not answer sensibly
DOWNLOAD_BLOCK = 256 * 1024
TIMEOUT = httpx.Timeout(connect=10, read=60, write=30, pool=10)

# Everything of an order but payment data. Source: orders 2026-01-01, parameter includedData.
INCLUDED_DATA = [
    "BUYER",
    "RECIPIENT",
    "PROCEEDS",
    "EXPENSE",
    "PROMOTION",
    "CANCELLATION",
    "FULFILLMENT",
    "PACKAGES",
]


@cache
def _tls() -> ssl.SSLContext:
    """The certificates that are trusted: read once a process, since reading them takes longer than a call (50 ms)."""
    return httpx.create_ssl_context()


@dataclass(frozen=True)
class Credentials:
    """Access to one account in one region, as an Airflow connection of type amazon_sp_api holds it."""

    connection: str
    account: str
    region: str
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    endpoint: str | None = None
    token_url: str | None = None

    def __str__(self) -> str:
        return f"account {self.account}, region {self.region}, connection {self.connection}"


@dataclass(frozen=True)
class OrderPage:
    """Orders in Amazon's JSON shape, and the token of the next page; None on the last."""

    orders: list[dict[str, Any]]
    next_token: str | None


class AmazonClient:
    """Calls Amazon for one account and region.

    With a limiter, no call fails for being throttled: it takes its turns, and raises ComeBackAt where the next turn is
    far off. Without one, throttling is waited out up to a minute, then raises Throttled. Raises BadCredentials when
    Amazon refuses the credentials, Unavailable when it does not answer sensibly after a few attempts.

    Args:
        credentials: of the account in the region.
        limiter: gives turns within Amazon's rates.
        sleep, clock: for tests on a simulated clock.
    """

    def __init__(
        self,
        credentials: Credentials,
        limiter: RateLimiter | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.credentials = credentials
        self.limiter = limiter
        self.clock = clock
        self.calls: dict[str, int] = {}
        self._sleep = sleep

    def search_orders(
        self,
        marketplace_ids: list[str],
        *,
        after: datetime,
        before: datetime | None = None,
        by: Literal["lastUpdated", "created"] = "lastUpdated",
        token: str | None = None,
    ) -> Iterator[OrderPage]:
        """Pages of orders changed (or created) in the span, all marketplaces in one chain of calls.

        Args:
            after, before: aware UTC; the upper bound must lie at least two minutes back.
            token: of the page to begin with; None for the first.

        Raises: TokenExpired if Amazon no longer accepts the token (it does for 24 hours).
        """
        query: dict[str, Any] = {
            "marketplaceIds": marketplace_ids,
            f"{by}After": _iso(after),
            "maxResultsPerPage": 100,
            "includedData": INCLUDED_DATA,
        }
        if before:
            query[f"{by}Before"] = _iso(before)
        while True:
            if token:
                query["paginationToken"] = token
            try:
                answer = self._call("searchOrders", lambda: self._orders.search_orders(**query), needs="orders")
            except _Refused as refused:
                # The same search without a token was accepted before: it is the token.
                raise TokenExpired(str(refused)) if token and refused.status == 400 else refused from None
            token = (answer.get("pagination") or {}).get("nextToken")
            yield OrderPage(answer["orders"], token)
            if not token:
                return

    def get_order(self, order_id: str) -> dict[str, Any]:
        """One order.

        Raises: NotFound if Amazon does not know it.
        """
        try:
            answer = self._call(
                "getOrder", lambda: self._orders.get_order(order_id, includedData=INCLUDED_DATA), needs="order"
            )
        except NotFound:
            raise NotFound(f"Amazon does not know the order {order_id} ({self.credentials}).") from None
        order: dict[str, Any] = answer["order"]
        return order

    def create_report(
        self,
        report_type: str,
        marketplace_ids: Sequence[str],
        start: datetime | None = None,
        end: datetime | None = None,
        options: Mapping[str, str] | None = None,
    ) -> str:
        """Orders a report. Returns its id.

        Args:
            start, end: of its data, aware UTC; None leaves them to Amazon.
        """
        body: dict[str, Any] = {"reportType": report_type, "marketplaceIds": list(marketplace_ids)}
        if start:
            body["dataStartTime"] = _iso(start)
        if end:
            body["dataEndTime"] = _iso(end)
        if options:
            body["reportOptions"] = dict(options)
        answer = self._call("createReport", lambda: self._reports.create_report(**body), needs="reportId")
        return str(answer["reportId"])

    def get_report(self, report_id: str) -> dict[str, Any]:
        """State of a report: processingStatus, reportDocumentId and more.

        Raises: NotFound if Amazon does not know it, or no longer.
        """
        return self._call("getReport", lambda: self._reports.get_report(report_id), needs="processingStatus")

    def get_reports(self, report_type: str, *, created_since: datetime) -> list[dict[str, Any]]:
        """The newest reports of a type (at most 100), newest first.

        Args:
            created_since: aware UTC.
        """
        query = {"reportTypes": [report_type], "createdSince": _iso(created_since), "pageSize": 100}
        answer = self._call("getReports", lambda: self._reports.get_reports(**query), needs="reports")
        reports: list[dict[str, Any]] = answer["reports"]
        return reports

    def get_report_document(self, document_id: str) -> dict[str, Any]:
        """Where a report's document is: url (for five minutes) and perhaps compressionAlgorithm."""
        return self._call("getReportDocument", lambda: self._reports.get_report_document(document_id), needs="url")

    def download(self, url: str, target: BinaryIO) -> str | None:
        """Writes a document to `target` as it comes, whatever its size.

        Returns: the charset of its Content-Type, if that names one.

        Raises: UrlExpired, and Unavailable if it breaks off.
        """
        try:
            # What the server compressed for the way is unpacked; a GZIP document stays as it is.
            with httpx.stream("GET", url, timeout=TIMEOUT, verify=_tls(), follow_redirects=True) as answer:
                if answer.status_code == httpx.codes.FORBIDDEN:
                    raise UrlExpired(f"The URL of a report's document ({self.credentials}) has expired.")
                if answer.status_code != httpx.codes.OK:
                    raise Unavailable(
                        f"The download of a report ({self.credentials}) is answered with {answer.status_code}."
                    )
                for block in answer.iter_bytes(DOWNLOAD_BLOCK):
                    target.write(block)
                return answer.charset_encoding
        except httpx.HTTPError as error:
            raise Unavailable(
                f"The download of a report ({self.credentials}) broke off ({type(error).__name__})."
            ) from None

    def authenticate(self) -> None:
        """Asks for an access token and nothing else: a proof of the credentials that costs no rate."""
        self._call("token", lambda: _Token(self._orders.auth.access_token), needs="token")

    def marketplaces(self) -> list[str]:
        """Ids of the marketplaces in which the account takes part: a proof that the account is active."""
        answer = self._call(
            "getMarketplaceParticipations", self._sellers.get_marketplace_participation, needs="payload"
        )
        return [entry["marketplace"]["id"] for entry in answer["payload"]]

    # ---------- one place for rates and errors

    def _call(self, operation: str, request: Callable[[], Any], *, needs: str) -> dict[str, Any]:
        from sp_api.auth.exceptions import AuthorizationError
        from sp_api.base import SellingApiException

        waits = iter(UNAVAILABLE_WAITS)
        may_renew_token = True
        while True:
            if self.limiter and operation in PUBLISHED:
                self.limiter.wait(operation)
            self.calls[operation] = self.calls.get(operation, 0) + 1
            try:
                response = request()
                self._learn(operation, response.headers)
                return _body(response, needs)
            except AuthorizationError as error:
                problem = self._token_problem(error)
            except SellingApiException as error:
                problem = self._api_problem(operation, error)
            except (httpx.TransportError, json.JSONDecodeError, _NotAnAnswer) as error:
                problem = Unavailable(f"Amazon ({self.credentials}) gave no usable answer: {type(error).__name__}")
            if isinstance(problem, Throttled):
                self._wait_out(operation, problem)
            elif isinstance(problem, BadCredentials) and may_renew_token and self._forget_token():
                may_renew_token = False  # once: a fresh token that is refused is refused for good
            elif isinstance(problem, Unavailable) and (pause := next(waits, None)) is not None:
                self._sleep(pause)
            else:
                raise problem from None  # the cause may carry tokens or personal data

    def _learn(self, operation: str, headers: Mapping[str, str] | None) -> None:
        named = (headers or {}).get("x-amzn-RateLimit-Limit")
        if self.limiter and named and operation in PUBLISHED:
            with suppress(ValueError):
                self.limiter.learn(operation, float(named))

    def _wait_out(self, operation: str, throttled: Throttled) -> None:
        if self.limiter:
            self.limiter.refused(operation)
            log.info("%s It takes another turn.", throttled)
            return
        seconds = throttled.seconds
        if seconds > PATIENCE.total_seconds():
            raise throttled
        log.info("%s Waiting %.0f s.", throttled, seconds)
        self._sleep(seconds)

    def _forget_token(self) -> bool:
        """Drops the access tokens that the library keeps for an hour. Returns whether there were any.

        Ours may be refused before: revoked and authorised again, or a clock that goes wrong.
        """
        from sp_api.auth.access_token_client import cache

        were_any = bool(cache)
        cache.clear()
        return were_any

    def _token_problem(self, error: Any) -> SourceError:
        if error.status_code >= 500 or error.status_code == 429:  # too many asked: that says nothing of ours
            return Unavailable(f"Amazon's token service ({self.credentials}) answers {error.status_code}.")
        return BadCredentials(
            f"Amazon refuses the credentials ({self.credentials}): {error.error_code}. "
            "Check refresh token, client id and client secret of that connection; authorise the app again if revoked."
        )

    def _api_problem(self, operation: str, error: Any) -> SourceError:
        status, headers = error.code, error.headers or {}
        code = getattr(error, "amzn_code", "") or ""
        if status == 429:
            rate = float(headers.get("x-amzn-RateLimit-Limit") or PUBLISHED[operation].rate)
            return Throttled(f"{operation} ({self.credentials}) is throttled.", 1 / rate)
        if status == 404:
            return NotFound(f"Amazon does not know what {operation} ({self.credentials}) asks for.")
        if status in (401, 403):
            return BadCredentials(
                f"Amazon forbids {operation} ({self.credentials}): {code}. "
                "Check that the app has the needed roles and the account is active."
            )
        if status >= 500:
            return Unavailable(f"Amazon answers {operation} ({self.credentials}) with {status} {code}.")
        return _Refused(f"Amazon does not accept {operation} ({self.credentials}): {status} {code}.", status)

    # ---------- the client library, pointed at an endpoint without touching its globals

    @cached_property
    def _orders(self) -> Any:
        from sp_api.api import OrdersV20260101

        return self._connect(OrdersV20260101)

    @cached_property
    def _reports(self) -> Any:
        from sp_api.api import Reports

        return self._connect(Reports)

    @cached_property
    def _sellers(self) -> Any:
        from sp_api.api import Sellers

        return self._connect(Sellers)

    def _connect(self, api: type["Client"]) -> Any:
        from sp_api.auth import AccessTokenClient
        from sp_api.base import Marketplaces

        token_url = urlsplit(self.credentials.token_url or "https://api.amazon.com/auth/o2/token")
        place = {"scheme": f"{token_url.scheme}://", "host": token_url.netloc, "path": token_url.path}
        endpoint = self.credentials.endpoint
        host = urlsplit(endpoint).netloc if endpoint else None

        class Endpoint(api):  # type: ignore[misc, valid-type]
            @property
            def headers(self) -> dict[str, str]:
                return {**super().headers, **({"host": host} if host else {})}

        client = Endpoint(
            {"na": Marketplaces.US, "eu": Marketplaces.DE, "fe": Marketplaces.JP}[self.credentials.region],
            credentials={
                "lwa_app_id": self.credentials.client_id,
                "lwa_client_secret": self.credentials.client_secret,
                "refresh_token": self.credentials.refresh_token,
            },
            timeout=TIMEOUT,
            verify=_tls(),
            auth_token_client_class=type("TokenClient", (AccessTokenClient,), place),
        )
        client.endpoint = (endpoint or client.endpoint).rstrip("/")
        return client


class _Token:
    """An access token in the shape of an answer."""

    def __init__(self, token: str) -> None:
        self.payload = {"token": token}
        self.pagination = None
        self.headers = None


class _Refused(SourceError):
    """Amazon does not accept a request as it is."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class _NotAnAnswer(Exception):
    """An answer without the part that every answer of the operation has, such as a proxy's error page."""


def _body(response: Any, needs: str) -> dict[str, Any]:
    # The library takes an error page without JSON for an empty answer: an hour of orders would be lost silently.
    payload = response.payload
    if needs == "payload" and isinstance(payload, list):
        return {"payload": payload}
    if not isinstance(payload, dict) or needs not in payload:
        raise _NotAnAnswer
    return {**payload, "pagination": response.pagination}


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
