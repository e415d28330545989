"""The one client for Amazon's Selling Partner API: python-amazon-sp-api, with one place for rates and errors."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import httpx

from amazon_support.sources.errors import BadCredentials, SourceError, Throttled, Unavailable

if TYPE_CHECKING:
    from sp_api.base import Client

log = logging.getLogger(__name__)

# Published rates (requests a second), for answers without the header x-amzn-RateLimit-Limit.
# Source: Selling Partner API documentation, usage plans of orders 2026-01-01 and sellers v1.
PUBLISHED_RATES = {"searchOrders": 0.0056, "getOrder": 0.5, "getMarketplaceParticipations": 0.016}
LONGEST_WAIT = 300.0  # seconds; beyond that the task gives its worker back and is tried again
UNAVAILABLE_WAITS = (1.0, 4.0, 15.0)  # seconds between attempts when Amazon does not answer sensibly
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


class AmazonClient:
    """Calls Amazon for one account and region.

    Waits out throttling up to LONGEST_WAIT, then raises Throttled. Raises BadCredentials when Amazon refuses the
    credentials, Unavailable when it does not answer sensibly after a few attempts.

    Args:
        credentials: of the account in the region.
        sleep: how to wait; tests on a simulated clock pass their own.
    """

    def __init__(self, credentials: Credentials, sleep: Callable[[float], None] = time.sleep) -> None:
        self.credentials = credentials
        self.calls: dict[str, int] = {}
        self._sleep = sleep

    def search_orders(
        self,
        marketplace_ids: list[str],
        *,
        after: datetime,
        before: datetime | None = None,
        by: Literal["lastUpdated", "created"] = "lastUpdated",
    ) -> Iterator[list[dict[str, Any]]]:
        """Pages of orders changed (or created) in the span, all marketplaces in one chain of calls.

        Args:
            after, before: aware UTC; the upper bound must lie at least two minutes back.
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
            answer = self._call("searchOrders", lambda: self._orders.search_orders(**query), needs="orders")
            yield answer["orders"]
            token = (answer.get("pagination") or {}).get("nextToken")
            if not token:
                return
            query["paginationToken"] = token

    def get_order(self, order_id: str) -> dict[str, Any]:
        """One order.

        Raises: SourceError if Amazon does not know it.
        """
        answer = self._call(
            "getOrder", lambda: self._orders.get_order(order_id, includedData=INCLUDED_DATA), needs="order"
        )
        order: dict[str, Any] = answer["order"]
        return order

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
        while True:
            self.calls[operation] = self.calls.get(operation, 0) + 1
            try:
                return _body(request(), needs)
            except AuthorizationError as error:
                problem = self._token_problem(error)
            except SellingApiException as error:
                problem = self._api_problem(operation, error)
            except (httpx.TransportError, json.JSONDecodeError, _NotAnAnswer) as error:
                problem = Unavailable(f"Amazon ({self.credentials}) gave no usable answer: {type(error).__name__}")
            if isinstance(problem, Throttled):
                self._wait_out(problem)
            elif isinstance(problem, Unavailable) and (pause := next(waits, None)) is not None:
                self._sleep(pause)
            else:
                raise problem from None  # the cause may carry tokens or personal data

    def _wait_out(self, throttled: Throttled) -> None:
        seconds = throttled.args[1]
        if seconds > LONGEST_WAIT:
            raise throttled
        log.info("%s Waiting %.0f s.", throttled.args[0], seconds)
        self._sleep(seconds)

    def _token_problem(self, error: Any) -> SourceError:
        if error.status_code >= 500:
            return Unavailable(f"Amazon's token service ({self.credentials}) answers {error.status_code}.")
        return BadCredentials(
            f"Amazon refuses the credentials ({self.credentials}): {error.error_code}. "
            "Check refresh token, client id and client secret of that connection; authorise the app again if revoked."
        )

    def _api_problem(self, operation: str, error: Any) -> SourceError:
        status, headers = error.code, error.headers or {}
        code = getattr(error, "amzn_code", "") or ""
        if status == 429:
            rate = float(headers.get("x-amzn-RateLimit-Limit") or PUBLISHED_RATES[operation])
            return Throttled(f"{operation} ({self.credentials}) is throttled.", 1 / rate)
        if status in (401, 403):
            return BadCredentials(
                f"Amazon forbids {operation} ({self.credentials}): {code}. "
                "Check that the app has the needed roles and the account is active."
            )
        if status >= 500:
            return Unavailable(f"Amazon answers {operation} ({self.credentials}) with {status} {code}.")
        return SourceError(f"Amazon does not accept {operation} ({self.credentials}): {status} {code}.")

    # ---------- the client library, pointed at an endpoint without touching its globals

    @cached_property
    def _orders(self) -> Any:
        from sp_api.api import OrdersV20260101

        return self._connect(OrdersV20260101)

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
            auth_token_client_class=type("TokenClient", (AccessTokenClient,), place),
        )
        client.endpoint = (endpoint or client.endpoint).rstrip("/")
        return client


class _Token:
    """An access token in the shape of an answer."""

    def __init__(self, token: str) -> None:
        self.payload = {"token": token}
        self.pagination = None


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
